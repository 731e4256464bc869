import { expect, test } from "vitest";
import { monsoonCsv } from "../../src/importers/monsoon-csv.ts";
import type { PowerRecording } from "../../src/model/recording.ts";
import { integrate, listBlocks } from "./integrate.ts";
import { asPyMonsoon, type MonsoonOptions, monsoonRows, trueEnergy_j } from "./monsoon-rows.ts";

const HEADER = "Time(ms),Main(mA),Main Voltage(V),\n";

function decode(csv: string, beside: Readonly<Record<string, string>> = {}): PowerRecording {
  const texts = { "monsoon.csv": csv, ...beside };
  return monsoonCsv.decode(Object.entries(texts).map(([name, text]) => ({ name, bytes: new TextEncoder().encode(text) })));
}
const facts = (recording: PowerRecording) => recording.clocks.meter!;

/** A phone that answers: 250 mA idle, 1.6 A from 2 s to 5 s with a ripple of 40 ms per token. */
const answering = (time_s: number): number => (time_s < 2 || time_s >= 5 ? 250 : 1600 + (time_s % 0.04 < 0.02 ? 500 : -500));
const phone: MonsoonOptions = { duration_s: 8, current_ma: answering };

test("the header of PyMonsoon says ms over seconds; the rows decide, and it is said", () => {
  const recording = decode(HEADER + asPyMonsoon(monsoonRows(phone)));
  expect(facts(recording)).toMatchObject({
    dialect: "with a header",
    time_unit: expect.stringMatching(/^s, as 500[01] rows a second are what the meter gives; the header says ms$/),
    current_unit: "mA, by the header",
    nominal_hz: 5000,
    missing_here_and_there: 0,
    rows_sharing_a_stamp: recording.clocks.meter!.rows,
  });
  expect(recording.faults).toEqual([]);
  expect(integrate(recording, 1, 6).energy_j / trueEnergy_j(phone, 1, 6)).toBeCloseTo(1, 3);
});

test("one file in three spellings gives the same samples", () => {
  const rows = monsoonRows({ ...phone, duration_s: 0.5 });
  const plain = decode(HEADER + asPyMonsoon(rows));
  const bare = decode(asPyMonsoon(rows));
  const cells = rows.map((row) => [row.stamp_s, row.current_ma, row.voltage_v]);
  const numpy = decode(cells.map((row) => `${row.map((each) => `np.float64(${each})`).join(",")},\r\n`).join(""));
  const blade = decode(`time (sec),current (mA),voltage (V)\n${cells.map((row) => `${row.join(",")}\n`).join("")}`);
  for (const each of [bare, numpy, blade]) expect(listBlocks(each)).toEqual(listBlocks(plain));
  expect(facts(bare)).toMatchObject({ dialect: "without a header, as MELT records", current_unit: expect.stringContaining("no header") });
  expect(facts(numpy).dialect).toBe("without a header, as MELT records, numbers as NumPy 2 spells them");
});

test("units are converted once: mA and V to A and V", () => {
  const recording = decode(`${HEADER}0.0002,250,4,\n0.0004,1500.5,3.9,\n0.0006,250,4,\n`);
  expect(listBlocks(recording)).toMatchObject([{ columns: { "main.current_a": [0.25, 1.5005, 0.25], "main.voltage_v": [4, 3.9, 4] } }]);
});

test("a column in milliseconds is one; rows every 0.2 s could be either and are asked about", () => {
  const rows = monsoonRows({ ...phone, duration_s: 1 });
  const ms = decode(HEADER + asPyMonsoon(rows.map((row) => ({ ...row, stamp_s: row.stamp_s * 1000 }))));
  expect(facts(ms).time_unit).toMatch(/^ms, as 50\d\d rows a second/);
  const slow = `${HEADER}${Array.from({ length: 50 }, (_, k) => `${k},300,4,\n`).join("")}`;
  expect(() => decode(slow)).toThrow("rows come 1.000 to one unit of time, which fits s and ms; state time_unit in rig.json");
  expect(facts(decode(slow, { "rig.json": '{"time_unit":"s"}' })).rate_hz).toBeCloseTo(1, 9);
});

test("stamps are arrivals: late and shared ones do not move the samples", () => {
  const options: MonsoonOptions = { ...phone, late_s: 1e-3, ppm: 80 };
  const rows = monsoonRows(options);
  const [{ ticks }, ...others] = listBlocks(decode(asPyMonsoon(rows))) as [{ ticks: number[] }];
  const all = [ticks, ...(others as { ticks: number[] }[]).map((block) => block.ticks)].flat();
  const worst = Math.max(...all.map((time_s, k) => Math.abs(time_s - rows[k]!.end_s)));
  expect(all).toHaveLength(rows.length);
  expect(worst).toBeLessThan(0.3e-3);
  // The stamps themselves are up to 8 ms off.
  expect(Math.max(...rows.map((row) => row.stamp_s - row.end_s))).toBeGreaterThan(5e-3);
});

test("what PyMonsoon throws away is counted, and each row stands for more", () => {
  const options: MonsoonOptions = { ...phone, dropping: true, late_s: 0.3e-3 };
  const rows = monsoonRows(options);
  const recording = decode(asPyMonsoon(rows));
  const lost = 40_000 - rows.length;
  expect(recording.faults).toMatchObject([{ code: "lost_samples", detail: expect.stringContaining("7.4 % of the samples are missing") }]);
  expect(Math.abs(recording.faults[0]!.count - lost)).toBeLessThan(15);
  expect([...recording.blocks()][0]!.sampler).toBe("averaged");
  for (const [from_s, to_s] of [
    [2, 5],
    [1, 7],
    [2.5, 4.5],
  ] as const)
    expect(Math.abs(integrate(recording, from_s, to_s).energy_j / trueEnergy_j(options, from_s, to_s) - 1)).toBeLessThan(0.005);
});

test("a gap is a gap; a stall whose packets were kept is none", () => {
  const gone = decode(asPyMonsoon(monsoonRows({ ...phone, gaps: [[3, 3.5]] })));
  expect(gone.faults).toMatchObject([{ code: "gap", count: 1, at_s: expect.closeTo(3, 2) }]);
  expect(integrate(gone, 2.9, 3.6).covered_s).toBeCloseTo(0.2, 2);
  const stalled = decode(asPyMonsoon(monsoonRows({ ...phone, stalls: [[3, 3.5]] })));
  expect(stalled.faults).toEqual([]);
  expect(integrate(stalled, 2.9, 3.6).energy_j / trueEnergy_j(phone, 2.9, 3.6)).toBeCloseTo(1, 2);
});

test("the last line without an end is left out: its voltage may have lost its digits", () => {
  const recording = decode(`${HEADER}0.0002,250,4.1,\n0.0004,250,4.1,\n0.0006,250,4`);
  expect(facts(recording).rows).toBe(2);
  expect(recording.faults).toMatchObject([{ code: "unread_line", count: 1 }]);
});

test("events beside it, with the time their clock showed at zero", () => {
  const events = `{"type":"request_start","request":"r1","time_s":1700000002}\n{"type":"request_end","request":"r1","time_s":1700000005}\n`;
  const rig = '{"start_s":1700000000,"clock_uncertainty_s":0.01,"idle":[[0.5,1.5]],"gain_uncertainty":0.005}';
  const recording = decode(asPyMonsoon(monsoonRows(phone)), { "events.jsonl": events, "rig.json": rig });
  expect(recording.maps).toMatchObject([{ source: "meter" }, { source: "events", pieces: [{ fromTick: 1700000000, t0_s: 0, u_s: 0.01 }] }]);
  expect(recording.idle).toEqual([[0.5, 1.5]]);
  expect(recording.measurand.accuracy.gain).toBe(0.005);
  expect(() => decode(asPyMonsoon(monsoonRows(phone)), { "events.jsonl": events })).toThrow(
    /events.jsonl: its times \(1700000002 to 1700000005 s\) lie outside of the trace .*start_s/,
  );
});

test("a meter of whose accuracy nothing is stated counts as exact, and that is said", () => {
  const csv = `${HEADER}0.0002,250,4,\n0.0004,250,4,\n`;
  expect(decode(csv).measurand.accuracy.gain).toBe(0);
  expect(facts(decode(csv)).accuracy).toMatch(/none of the maker's is known: the meter counts as exact/);
  expect(facts(decode(csv, { "rig.json": '{"gain_uncertainty":0}' }))).not.toHaveProperty("accuracy");
});

test("without events the whole trace is one unit", () => {
  const { events } = decode(`${HEADER}0.0002,250,4,\n0.0004,250,4,\n0.0006,250,4,\n`);
  expect(events).toMatchObject([
    { type: "unit_start", request: "trace", tick: expect.closeTo(0, 9) },
    { type: "unit_end", tick: expect.closeTo(0.0006, 9), count: 1 },
  ]);
});

test("no voltage: the file to add is named; with it, it is the supply of every sample", () => {
  const bare = "Time(ms),Main(mA),\n0.0002,250,\n0.0004,250,\n0.0006,250,\n";
  expect(() => decode(bare)).toThrow("monsoon.csv: has no column of the voltage; state voltage_v in a rig.json beside it");
  const recording = decode(bare, { "rig.json": '{"voltage_v":3.85}' });
  expect(integrate(recording, 0, 0.0006).energy_j).toBeCloseTo(0.25 * 3.85 * 0.0006, 12);
});

test("power through the USB channel is told, for it is missing from the main one", () => {
  const csv = "Time(ms),Main(mA),USB(mA),Main Voltage(V),USB Voltage(V),\n0.0002,250,100,4,5,\n0.0004,250,300,4,5,\n";
  expect(facts(decode(csv))).toMatchObject({ usb_mean_power_w: 1, usb: "the USB channel is not part of the measurand" });
});

test("what cannot be read is told, all at once", () => {
  expect(() => decode("", { "rig.json": '{"volts":4}', "events.jsonl": "request\n" })).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: Monsoon CSV import: 3 problems
      rig.json: Unrecognized key: "volts"
      monsoon.csv: is empty; expected samples of a Monsoon
      events.jsonl:1: expected a JSON object]
  `);
  expect(() => decode("t;i;u\n1;2;3\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: Monsoon CSV import: 1 problem
      monsoon.csv:1: expected Time(ms), Main(mA) and Main Voltage(V), as PyMonsoon names them; found t;i;u]
  `);
  expect(() => decode("0.0002,250,4,1,2\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: Monsoon CSV import: 1 problem
      monsoon.csv:1: has no header and 5 columns, expected time, current and voltage]
  `);
  expect(() => decode(`${HEADER}0.0002,250,4,\n0.0004,nothing,4,\n0.0003,250,4,\n0.0008,250\n`)).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: Monsoon CSV import: 2 problems
      monsoon.csv:3: Main(mA) is "nothing", expected a finite number
      monsoon.csv:5: has 2 cells, expected 3 (Time(ms), Main(mA), Main Voltage(V))]
  `);
  expect(() => decode("0.0002,0.25,4,\n0.0004,1.5,4,\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: Monsoon CSV import: 1 problem
      monsoon.csv: the largest current is 1.5, which may be A or mA; state current_unit in rig.json]
  `);
  expect(() => decode("0.0002,250000,4200,\n0.0004,250000,4200,\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: Monsoon CSV import: 2 problems
      monsoon.csv: the largest current is 250000: a Monsoon measures up to 15.625 A; state current_unit in rig.json
      monsoon.csv: the largest voltage is 4200, expected volts: a Monsoon gives up to 13.5 V]
  `);
  expect(() => decode(HEADER)).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: Monsoon CSV import: 1 problem
      monsoon.csv: has no whole row of samples]
  `);
});
