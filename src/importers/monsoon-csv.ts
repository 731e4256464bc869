import type { ImportedFile, Importer } from "../model/recording.ts";
import { type FirstLine, firstLine, isNumber, readLoose } from "./loose-csv.ts";
import { collectMeter } from "./meter-folder.ts";
import { CHANNEL, cutFault, decodeMeter, type MeterTrace } from "./meter-recording.ts";
import { type MeterRig, RIG } from "./meter-rig.ts";
import { monsoonTrace } from "./monsoon-trace.ts";
import { checkVoltage, currentUnit, timeUnit } from "./monsoon-units.ts";
import type { Problems } from "./problems.ts";
import { scale, splitUnit } from "./units.ts";

/**
 * A CSV as PyMonsoon writes it, and what others make of it.
 *
 * - PyMonsoon (Monsoon/sampleEngine.py, `__outputCSVHeaders`): `Time(ms),Main(mA),USB(mA),Aux(mA),Main Voltage(V),USB Voltage(V),`
 *   for the channels that were on. Every line ends in a comma; the times are seconds, whatever the header says; numbers
 *   are written by `repr`, which is `np.float64(…)` since NumPy 2.
 * - MELT and BLaDE (monsoonlib.py switches the file on after the header would have been written): the same without a header.
 * - BLaDE 0.3: `time (sec),current (mA),voltage (V)`.
 */
export const monsoonCsv: Importer = {
  format: "monsoon-csv",
  summary: "a CSV of PyMonsoon, with or without its header; rig.json and events.jsonl beside it if there are",
  example: "monsoon-csv recordings/phone-a/monsoon.csv --out sessions/phone-a",
  collect: collectMeter,
  decode: (files) => decodeMeter("Monsoon CSV", files, readTrace),
};

/** Where the columns are; undefined where the file has none. */
export interface MonsoonColumns {
  readonly names: readonly string[];
  readonly time: number;
  readonly current: number;
  readonly voltage: number | undefined;
  readonly usb: readonly [number, number] | undefined;
  readonly units: { readonly time: string; readonly current: string };
  readonly first: FirstLine;
  readonly header: boolean;
}

function readTrace(file: ImportedFile, rig: MeterRig, problems: Problems): MeterTrace | undefined {
  const found = findColumns(file, problems);
  if (!found) return undefined;
  const { names, time, current, voltage, usb, first, header } = found;
  const wanted = [time, current, ...(voltage === undefined ? [] : [voltage]), ...(usb ?? [])];
  const start = header ? { next: first.next, line: first.line } : { next: first.at, line: first.line - 1 };
  const before = problems.count;
  const table = readLoose(file, { names, wanted, ...start, shared: true }, problems);
  const [times, amperes, ...rest] = table.columns;
  if (table.rows < 2) {
    if (table.rows === 1) problems.add(file.name, "has one row of samples; at least two are needed");
    return undefined;
  }
  // Units are told from the values, so those must have been read.
  if (problems.count > before) return undefined;
  const problem = (what: string): void => problems.add(file.name, what);
  const second = timeUnit(times!, found.units.time, rig, problem);
  const ampere = currentUnit(amperes!, found.units.current, rig, problem);
  const volts = voltage === undefined || rest[0]!.every((each) => each === 0) ? undefined : rest[0]!;
  if (volts) checkVoltage(volts, problem);
  else if (rig.voltage_v === undefined) {
    const lack = voltage === undefined ? "has no column of the voltage" : "has a voltage of 0 throughout: its channel was off";
    problem(`${lack}; state voltage_v in a ${RIG} beside it`);
  }
  if (!second || !ampere) return undefined;
  const columns = { [`${CHANNEL}.current_a`]: scale(amperes!, ampere.factor), ...(volts ? { [`${CHANNEL}.voltage_v`]: volts } : {}) };
  const trace = monsoonTrace(scale(times!, second.factor), columns as MeterTrace["columns"], rig);
  const facts = { dialect: dialectOf(file, found), time_unit: second.why, current_unit: ampere.why, ...usbFacts(usb && rest.slice(-2)) };
  return {
    ...trace,
    ...(volts ? {} : { voltage_v: rig.voltage_v! }),
    facts: { ...facts, ...(volts ? {} : { voltage: "as rig.json states it" }), ...trace.facts },
    faults: [...trace.faults, ...cutFault(table)],
  };
}

/** Finds the columns by their header, or by their order where there is none. */
export function findColumns(file: ImportedFile, problems: Problems): MonsoonColumns | undefined {
  const first = firstLine(file, false);
  if (!first) {
    problems.add(file.name, "is empty; expected samples of a Monsoon");
    return undefined;
  }
  const cells = first.cells.at(-1) === "" ? first.cells.slice(0, -1) : first.cells;
  if (isNumber(cells[0]!)) {
    if (cells.length === 2 || cells.length === 3) {
      const voltage = cells.length === 3 ? 2 : undefined;
      const names = ["time", "current", "voltage"].slice(0, cells.length);
      return { names, time: 0, current: 1, voltage, usb: undefined, units: { time: "", current: "" }, first, header: false };
    }
    problems.add(`${file.name}:${first.line}`, `has no header and ${cells.length} columns, expected time, current and voltage`);
    return undefined;
  }
  const parts = cells.map(splitUnit);
  const at = (...names: readonly string[]) => parts.findIndex(({ name }) => names.includes(name.toLowerCase()));
  const [time, current, voltage, usb, usbVoltage] = [
    at("time"),
    at("main", "current"),
    at("main voltage", "voltage"),
    at("usb"),
    at("usb voltage"),
  ];
  if (time! < 0 || current! < 0) {
    const expected = "expected Time(ms), Main(mA) and Main Voltage(V), as PyMonsoon names them";
    problems.add(`${file.name}:${first.line}`, `${expected}; found ${cells.join(", ")}`);
    return undefined;
  }
  return {
    names: cells,
    time: time!,
    current: current!,
    voltage: voltage! < 0 ? undefined : voltage!,
    usb: usb! < 0 || usbVoltage! < 0 ? undefined : [usb!, usbVoltage!],
    units: { time: parts[time!]!.unit, current: parts[current!]!.unit },
    first,
    header: true,
  };
}

function dialectOf({ bytes }: ImportedFile, { header, first }: MonsoonColumns): string {
  const row = new TextDecoder().decode(bytes.subarray(header ? first.next : first.at, (header ? first.next : first.at) + 40));
  return `${header ? "with a header" : "without a header, as MELT records"}${row.trimStart().startsWith("np.float64") ? ", numbers as NumPy 2 spells them" : ""}`;
}

/** A phone that takes power through the USB channel takes less through the main one. */
function usbFacts(usb: readonly Float64Array[] | undefined): Readonly<Record<string, number | string>> {
  if (!usb) return {};
  const [current, voltage] = usb as readonly [Float64Array, Float64Array];
  let sum_mw = 0;
  for (let k = 0; k < current.length; k++) sum_mw += current[k]! * voltage[k]!;
  return { usb_mean_power_w: sum_mw / current.length / 1e3, usb: "the USB channel is not part of the measurand" };
}
