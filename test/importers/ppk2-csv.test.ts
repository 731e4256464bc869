import { expect, test } from "vitest";
import { ppk2Csv } from "../../src/importers/ppk2-csv.ts";
import type { PowerRecording } from "../../src/model/recording.ts";
import { integrate, listBlocks } from "./integrate.ts";

function decode(csv: string, rig: object = { voltage_v: 3.3 }): PowerRecording {
  const texts = { "ppk.csv": csv, "rig.json": JSON.stringify(rig) };
  return ppk2Csv.decode(Object.entries(texts).map(([name, text]) => ({ name, bytes: new TextEncoder().encode(text) })));
}

test("microamperes every 10 µs, at the voltage the rig states", () => {
  const recording = decode("Timestamp(ms),Current(uA)\n0,1000.000\n0.01,2000.500\n0.02,500000.000\n");
  expect(listBlocks(recording)).toMatchObject([
    {
      startTick: expect.closeTo(-1e-5, 12),
      ticks: [0, 1e-5, 2e-5],
      columns: { "main.current_a": [0.001, 0.0020005, 0.5], "main.voltage_v": [3.3, 3.3, 3.3] },
    },
  ]);
  expect(integrate(recording, -1e-5, 2e-5).energy_j).toBeCloseTo(3.3 * (0.001 + 0.0020005 + 0.5) * 1e-5, 15);
  expect(recording.clocks.meter).toMatchObject({
    time_unit: "ms, by the header",
    current_unit: "uA, by the header",
    rate_hz: expect.closeTo(1e5, 3),
  });
  expect(recording.clocks.meter).not.toHaveProperty("smoothing");
  expect(recording.measurand.accuracy.sampling_s).toBeCloseTo(5e-6 / Math.sqrt(3), 12);
});

test.each([
  ["one string of digital inputs", "Timestamp(ms),Current(uA),D0-D7\n0,1,00X-0001\n0.01,2,00000001\n"],
  ["a column for each", "Timestamp(ms),Current(uA),D0,D1,D2,D3,D4,D5,D6,D7\n0,1,0,0,X,-,0,0,0,1\n0.01,2,0,0,0,0,0,0,0,1\n"],
  ["both", "Timestamp(ms),Current(uA),D0-D7,D0,D1,D2,D3,D4,D5,D6,D7\n0,1,00000001,0,0,0,0,0,0,0,1\n0.01,2,0,0,0,0,0,0,0,0,1\n"],
  ["the bits of earlier versions", "Timestamp(ms),Current(uA),Bits\n0,1,00000001\n0.01,2,00000001\n"],
  ["other units, as others write them", "Timestamp(us),Current(mA)\n0,0.001\n10,0.002\n"],
])("%s: the same samples", (_, csv) => {
  expect(listBlocks(decode(csv))).toMatchObject([{ ticks: [0, 1e-5], columns: { "main.current_a": [1e-6, 2e-6] } }]);
});

test("samples the kit lost are not in the file, and are missing here", () => {
  const times = [...Array(50).keys(), ...Array.from({ length: 50 }, (_, k) => 150 + k)];
  const recording = decode(`Timestamp(ms),Current(uA)\n${times.map((k) => `${k / 100},1000`).join("\n")}\n`);
  expect(recording.faults).toMatchObject([{ code: "gap", count: 1, detail: expect.stringContaining("100 samples missing") }]);
  expect(integrate(recording, -1e-5, 2e-3).covered_s).toBeCloseTo(1e-3, 8);
});

test("at a lower rate the app's smoothing is part of the uncertainty", () => {
  const recording = decode("Timestamp(ms),Current(uA)\n0,1\n1,2\n2,3\n");
  expect(recording.measurand.accuracy.sampling_s).toBeCloseTo(1e-3, 12);
  expect(recording.clocks.meter?.smoothing).toMatch(/lag by about one step/);
});

test("what Nordic states about the kit is the gain, as limits, unless the rig states its own", () => {
  const csv = "Timestamp(ms),Current(uA)\n0,1\n0.01,2\n";
  const stated = decode(csv);
  expect(stated.measurand.accuracy.gain).toBeCloseTo(0.2 / Math.sqrt(3), 12);
  expect(stated.clocks.meter?.accuracy).toBe("limits of ±20 % of the power, rectangular: Nordic's listing of the kit, better than ±20 %");
  const own = decode(csv, { voltage_v: 3.3, gain_uncertainty: 0.01 });
  expect(own.measurand.accuracy.gain).toBe(0.01);
  expect(own.clocks.meter).not.toHaveProperty("accuracy");
});

test("more than an ampere is beyond the kit", () => {
  expect(decode("Timestamp(ms),Current(uA)\n0,1\n0.01,1000001\n").faults).toMatchObject([{ code: "over_range", count: 1 }]);
});

test("what cannot be read is told, all at once", () => {
  expect(() => decode("Current(uA)\n1\n", {})).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: PPK2 CSV import: 2 problems
      ppk.csv: a PPK2 measures no voltage; state voltage_v in a rig.json beside it
      ppk.csv:1: expected the columns Timestamp(ms) and Current(uA); found Current(uA); export it with both]
  `);
  expect(() => decode("Timestamp(ms),Current(uA)\n0,1\n0.01,-\n0.01,2\n0.02\n", { voltage_v: "3.3" })).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: PPK2 CSV import: 4 problems
      rig.json: voltage_v: Invalid input: expected number, received string
      ppk.csv: a PPK2 measures no voltage; state voltage_v in a rig.json beside it
      ppk.csv:3: Current(uA) is "-", expected a finite number
      ppk.csv:5: has 1 cell, expected 2 (Timestamp(ms), Current(uA))]
  `);
  expect(() => decode("")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: PPK2 CSV import: 1 problem
      ppk.csv:1: expected the columns Timestamp(ms) and Current(uA); found nothing; export it with both]
  `);
  expect(() => decode("Timestamp(ms),Current(uA)\n0,1\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: PPK2 CSV import: 1 problem
      ppk.csv: has one row of samples; at least two are needed]
  `);
});
