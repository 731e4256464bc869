import type { ImportedFile } from "../model/recording.ts";
import { readLoose } from "./loose-csv.ts";
import type { MeltPower } from "./melt-values.ts";
import { CHANNEL, cutFault, type MeterTrace } from "./meter-recording.ts";
import { MeterRig } from "./meter-rig.ts";
import { findColumns } from "./monsoon-csv.ts";
import { monsoonTrace } from "./monsoon-trace.ts";
import { checkVoltage, currentUnit, timeUnit } from "./monsoon-units.ts";
import type { Problems } from "./problems.ts";
import { scale } from "./units.ts";

/** The power of a MELT run: as it was sampled, and as it stands in the file. */
export interface MeltSamples {
  readonly trace: MeterTrace;
  readonly raw: MeltPower;
  /** Whether the numbers are spelt as NumPy 2 does. */
  readonly numpy: boolean;
}

/** Reads `measurements_monsoon.csv`: seconds, milliamperes and volts without a header; undefined when it cannot be used. */
export function readMeltPower(file: ImportedFile, problems: Problems): MeltSamples | undefined {
  const found = findColumns(file, problems);
  if (!found) return undefined;
  if (found.voltage === undefined) {
    problems.add(file.name, "has no column of the voltage; expected time, current and voltage");
    return undefined;
  }
  const { names, time, current, voltage, first, header, units } = found;
  const start = header ? { next: first.next, line: first.line } : { next: first.at, line: first.line - 1 };
  const before = problems.count;
  const table = readLoose(file, { names, wanted: [time, current, voltage], ...start, shared: true }, problems);
  if (table.rows === 1) problems.add(file.name, "has one row of samples; at least two are needed");
  if (problems.count > before) return undefined;
  const [times, amperes, volts] = table.columns as readonly [Float64Array, Float64Array, Float64Array];
  const rig = MeterRig.parse({});
  const problem = (what: string): void => problems.add(file.name, what);
  const second = timeUnit(times, units.time, rig, problem);
  const ampere = currentUnit(amperes, units.current, rig, problem);
  checkVoltage(volts, problem);
  if (!second || !ampere) return undefined;
  const raw = { times_s: Float64Array.from(times), current_ma: Float64Array.from(amperes), voltage_v: volts };
  const columns = { [`${CHANNEL}.current_a`]: scale(amperes, ampere.factor), [`${CHANNEL}.voltage_v`]: volts };
  const trace = monsoonTrace(scale(times, second.factor), columns as MeterTrace["columns"], rig);
  return {
    trace: {
      ...trace,
      facts: { time_unit: second.why, current_unit: ampere.why, ...trace.facts },
      faults: [...trace.faults, ...cutFault(table)],
    },
    raw,
    numpy: new TextDecoder().decode(file.bytes.subarray(first.at, first.at + 20)).includes("np.float64"),
  };
}
