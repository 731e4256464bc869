import { expect, test } from "vitest";
import { faiPepCsv } from "../../src/importers/fai-pep-csv.ts";
import type { PowerRecording } from "../../src/model/recording.ts";
import { integrate, listBlocks } from "./integrate.ts";
import { type MonsoonOptions, monsoonRows, trueEnergy_j } from "./monsoon-rows.ts";

function decode(csv: string): PowerRecording {
  return faiPepCsv.decode([{ name: "power_data_x.csv", bytes: new TextEncoder().encode(csv) }]);
}
const HEADER = "time, current, voltage, usb_current, usb_voltage, total_power\n";
const row = (cells: readonly number[]) => `${cells.map((each) => each.toFixed(4)).join(", ")}\n`;

const board: MonsoonOptions = { duration_s: 3, current_ma: (time_s) => (time_s < 1 || time_s >= 2 ? 120 : 900), late_s: 0.2e-3 };

test("four digits, one stamp per packet, mA and mW", () => {
  const rows = monsoonRows(board).map((each) => [each.stamp_s, each.current_ma, each.voltage_v, 0, 0, each.current_ma * each.voltage_v]);
  const recording = decode(HEADER + rows.map(row).join(""));
  expect(recording.measurand).toMatchObject({ source: "meter", channel: "main" });
  expect(recording.faults).toEqual([]);
  for (const [from_s, to_s] of [
    [0.5, 2.5],
    [1.2, 1.8],
  ] as const)
    expect(integrate(recording, from_s, to_s).energy_j / trueEnergy_j(board, from_s, to_s)).toBeCloseTo(1, 2.7);
});

test("a device fed through both channels is measured through both", () => {
  const recording = decode(`${HEADER}${row([0.0002, 100, 4, 50, 5, 650])}${row([0.0004, 200, 4, 50, 5, 1050])}`);
  expect(recording.measurand.channel).toBe("total");
  expect(listBlocks(recording)).toMatchObject([{ columns: { "total.power_w": [0.65, 1.05] } }]);
});

test("earlier versions: no total, stamps moved halfway to the one before", () => {
  const stamps: number[] = [];
  for (const { stamp_s } of monsoonRows(board)) {
    if (stamps.length >= 2 && stamp_s === stamps.at(-1)) stamps[stamps.length - 1] = (stamps.at(-2)! + stamp_s) / 2;
    stamps.push(stamp_s);
  }
  const rows = monsoonRows(board).map((each, k) => `${stamps[k]}, ${each.current_ma}, ${each.voltage_v}, 0, 0\n`);
  const recording = decode(`time, current, voltage, usb_current, usb_voltage\n${rows.join("")}`);
  expect(recording.clocks.meter).toMatchObject({ nominal_hz: 5000, missing_here_and_there: 0 });
  expect(integrate(recording, 0.5, 2.5).energy_j / trueEnergy_j(board, 0.5, 2.5)).toBeCloseTo(1, 2.7);
});

test("what cannot be read is told", () => {
  expect(() => decode("time, current\n0.1, 2\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: FAI-PEP CSV import: 1 problem
      power_data_x.csv:1: expected the columns time, current, voltage, usb_current, usb_voltage, total_power; found time, current]
  `);
  expect(() =>
    decode(`${HEADER}${row([0.0002, 0.1, 4, 0, 0, 400])}${row([0.0004, 0.1, 4, 0, 0, 400])}`),
  ).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: FAI-PEP CSV import: 1 problem
      power_data_x.csv: total_power is 400 in row 1 of the samples, but its currents and voltages make 0.4000 mW]
  `);
});
