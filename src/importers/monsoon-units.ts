import type { MeterRig } from "./meter-rig.ts";
import { OWN_RATE_HZ } from "./monsoon-trace.ts";
import { AMPERES, SECONDS } from "./units.ts";

/** No Monsoon gives more rows a second; a little is left for its crystal and for short files. */
const MOST_ROWS_HZ = 1.1 * OWN_RATE_HZ;
/** Rows that come at least this often are the meter's own, with some dropped. */
const OWN_ROWS_HZ = 0.8 * OWN_RATE_HZ;
/** An HVPM's main channel ends at 15.625 A (PyMonsoon, HVPM.py), its supply at 13.5 V. */
const LARGEST_A = 15.625;
const LARGEST_V = 13.5;
/** Slack for readings beside the end of the range. */
const SLACK = 1.05;

/** A decision about a unit: what one of it is in SI, and the sentence that says why. */
export interface UnitChoice {
  readonly factor: number;
  readonly why: string;
}

/**
 * What the time column counts.
 *
 * PyMonsoon's header says `Time(ms)` over seconds, so the header is not asked: the rows are. A Monsoon gives 5000 a second.
 */
export function timeUnit(times: Float64Array, header: string, rig: MeterRig, problem: (what: string) => void): UnitChoice | undefined {
  const says = header === "" ? "" : `; the header says ${header}`;
  if (rig.time_unit) return { factor: SECONDS[rig.time_unit]!, why: `${rig.time_unit}, by rig.json${says}` };
  const rows = (times.length - 1) / (times.at(-1)! - times[0]!);
  if (!Number.isFinite(rows)) {
    problem("all rows have one time; state rate_hz is not enough, the file cannot be placed in time");
    return undefined;
  }
  const possible = Object.keys({ s: 1, ms: 1, us: 1 }).filter((unit) => rows / SECONDS[unit]! <= MOST_ROWS_HZ);
  const own = possible.filter((unit) => rows / SECONDS[unit]! >= OWN_ROWS_HZ);
  const [unit, ...others] = own.length > 0 ? own : possible;
  if (unit === undefined || others.length > 0) {
    problem(
      `rows come ${rows.toPrecision(4)} to one unit of time, which fits ${possible.join(" and ") || "no unit"}; state time_unit in rig.json`,
    );
    return undefined;
  }
  return { factor: SECONDS[unit]!, why: `${unit}, as ${(rows / SECONDS[unit]!).toFixed(0)} rows a second are what the meter gives${says}` };
}

/** What the current column counts: by its header, else milliamperes, unless the values contradict. */
export function currentUnit(current: Float64Array, header: string, rig: MeterRig, problem: (what: string) => void): UnitChoice | undefined {
  if (rig.current_unit) return { factor: AMPERES[rig.current_unit]!, why: `${rig.current_unit}, by rig.json` };
  const largest = current.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const named = AMPERES[header];
  if (named !== undefined && largest * named <= SLACK * LARGEST_A) return { factor: named, why: `${header}, by the header` };
  const found = `the largest current is ${largest}${named === undefined ? "" : ` ${header}, by the header`}`;
  if (largest > SLACK * LARGEST_A * 1e3) {
    problem(`${found}: a Monsoon measures up to ${LARGEST_A} A; state current_unit in rig.json`);
    return undefined;
  }
  if (largest <= LARGEST_A) {
    problem(`${found}, which may be A or mA; state current_unit in rig.json`);
    return undefined;
  }
  return { factor: AMPERES.mA!, why: `mA, which is what PyMonsoon writes; there is no header, and ${found}` };
}

/** A voltage column must be volts. */
export function checkVoltage(voltage: Float64Array, problem: (what: string) => void): void {
  const largest = voltage.reduce((most, each) => Math.max(most, each), 0);
  if (largest > SLACK * LARGEST_V) problem(`the largest voltage is ${largest}, expected volts: a Monsoon gives up to ${LARGEST_V} V`);
}
