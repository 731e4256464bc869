import { expect, test } from "vitest";
import { joulescopeCsv } from "../../src/importers/joulescope-csv.ts";
import type { PowerRecording } from "../../src/model/recording.ts";
import { integrate, listBlocks } from "./integrate.ts";

function decode(csv: string, beside: Readonly<Record<string, string>> = {}): PowerRecording {
  const texts = { "jslog.csv": csv, ...beside };
  return joulescopeCsv.decode(Object.entries(texts).map(([name, text]) => ({ name, bytes: new TextEncoder().encode(text) })));
}

const ROWS = "0.5,0.4,4.75,1.9,0.2,0.95\n1.0,0.5,4.70,2.36,0.45,2.13\n1.5,0.4,4.75,1.9,0.65,3.08\n";
const NAMES = "time,current,voltage,power,charge,energy";

test.each([
  ["the UI's statistics record", `#${NAMES}\n${ROWS}`],
  ["a plain header", `${NAMES}\n${ROWS}`],
  ["no header", ROWS],
  [
    "comments",
    `#= header=${NAMES}\n#= units=s,A,V,W,C,J\n#= start_time=1700000000.5\n${ROWS.replace("1.0,", "#& 20240131 EVENT : x\n1.0,")}`,
  ],
  ["least and largest current", `${NAMES},current_min,current_max\n${ROWS.replaceAll("\n", ",0.3,0.6\n")}`],
])("%s", (_, csv) => {
  const recording = decode(csv);
  expect(listBlocks(recording)).toEqual([
    {
      startTick: 0,
      ticks: [0.5, 1, 1.5],
      lostBefore: 0,
      columns: { "main.current_a": [0.4, 0.5, 0.4], "main.voltage_v": [4.75, 4.7, 4.75], "main.power_w": [1.9, 2.36, 1.9] },
    },
  ]);
  // The mean of the product, 2.36 W, is not the product of the means, 2.35 W.
  expect(integrate(recording, 0, 1.5).energy_j).toBeCloseTo(0.5 * (1.9 + 2.36 + 1.9), 12);
  expect(integrate(recording, 0.5, 1.5).energy_j).toBeCloseTo(recording.references[0]!.value, 12);
});

test("UTC times: the session begins at a full second, and events are in seconds since 1970", () => {
  const csv = `${NAMES}\n20240131T120000.250000Z,0.4,4,1.6,0,0\n20240131T120000.750000Z,0.4,4,1.6,0.2,0.8\n`;
  // Python: datetime(2024, 1, 31, 12, tzinfo=timezone.utc).timestamp()
  const noon_s = 1706702400;
  const events = `{"type":"unit_start","unit":"image","time_s":${noon_s + 0.3}}\n{"type":"unit_end","unit":"image","time_s":${noon_s + 0.7}}\n`;
  const recording = decode(csv, { "events.jsonl": events });
  expect(listBlocks(recording)).toMatchObject([{ ticks: [expect.closeTo(0.25, 6), expect.closeTo(0.75, 6)] }]);
  expect(recording.maps[1]).toMatchObject({ source: "events", pieces: [{ fromTick: noon_s, t0_s: 0 }] });
});

test("nan is a sample that was lost, not a zero", () => {
  const rows = Array.from({ length: 10 }, (_, k) => (k === 4 ? "0.5,nan,nan,nan,nan,nan" : `${(k + 1) / 10},1,4,4,0,0`));
  const recording = decode(`#${NAMES}\n${rows.join("\n")}\n`);
  expect(recording.faults).toMatchObject([{ code: "lost_samples", count: 1 }]);
  expect(recording.clocks.meter).toMatchObject({ rows_without_a_sample: 1 });
  expect(integrate(recording, 0, 1)).toMatchObject({ energy_j: expect.closeTo(3.6, 9), covered_s: expect.closeTo(0.9, 9) });
});

test("times rounded to few digits are no gaps, and are part of the uncertainty", () => {
  const rows = Array.from({ length: 300 }, (_, k) => `${((k + 1) / 60).toFixed(2)},1,4,4,0,0`).join("\n");
  const recording = decode(`#${NAMES}\n${rows}\n`);
  expect(recording.faults).toEqual([]);
  // A hundredth of a second, rectangular: 2.9 ms.
  expect(recording.measurand.accuracy.sampling_s).toBeGreaterThan(2e-3);
  expect(recording.measurand.accuracy.sampling_s).toBeLessThan(4.5e-3);
});

test("what cannot be read is told, all at once", () => {
  expect(() => decode("time,watts\n1,2\n2,3\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: Joulescope CSV import: 1 problem
      jslog.csv:1: expected the columns time, current, voltage, power, charge, energy; found time, watts]
  `);
  expect(() =>
    decode(`#= units=s,mA,V,W,C,J\n${NAMES}\n0.5,0.4,4.75,1.9,0.2\n1.0,0.4,four,1.9,0.4,1\n`),
  ).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: Joulescope CSV import: 4 problems
      jslog.csv: units are "s,mA,V,W,C,J", expected s,A,V,W,C,J
      jslog.csv:3: has 5 cells, expected 6 (time, current, voltage, power, charge, energy)
      jslog.csv:4: voltage is "four", expected a finite number
      jslog.csv: has no whole row of samples]
  `);
  expect(() => decode("# nothing\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: Joulescope CSV import: 1 problem
      jslog.csv: is empty; expected statistics of a Joulescope]
  `);
});
