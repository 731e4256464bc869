import type { ImportedFile, Importer, Reference } from "../model/recording.ts";
import { firstLine, isNumber, type Layout, readLoose } from "./loose-csv.ts";
import { collectMeter } from "./meter-folder.ts";
import { CHANNEL, cutFault, decodeMeter, type MeterTrace, medianStep } from "./meter-recording.ts";
import type { MeterRig } from "./meter-rig.ts";
import { type Problems, quote } from "./problems.ts";

const NAMES = ["time", "current", "voltage", "power", "charge", "energy"] as const;
const MORE = ["current_min", "current_max"] as const;
const UNITS = "s,A,V,W,C,J";
const UTC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d+)Z$/;
/** Steps above this many usual ones are gaps, and tell nothing about how times are rounded. */
const CONTIGUOUS = 1.5;

/**
 * Statistics of a Joulescope as CSV, SI units throughout; a row holds the means over the interval that its time ends.
 *
 * - Joulescope UI, statistics record (joulescope_ui, statistics_record.py): `#time,current,voltage,power,charge,energy`.
 * - downsample_logging.py of pyjoulescope_examples: the same without `#`, later with `current_min,current_max`; its
 *   `--header comment` writes `#= header=…`, `#= units=…` and events as `#& …`, and `--header none` nothing. Its times are
 *   seconds since the start, or UTC as `20240131T120000.123456Z`.
 *
 * The power is the mean of the product, so it is used, and not the product of the means. `nan` stands for samples that the
 * host lost.
 */
export const joulescopeCsv: Importer = {
  format: "joulescope-csv",
  summary: "statistics a Joulescope's programs write as CSV; rig.json and events.jsonl beside it if there are",
  example: "joulescope-csv recordings/board/jslog.csv --out sessions/board",
  collect: collectMeter,
  decode: (files) => decodeMeter("Joulescope CSV", files, readTrace),
};

function readTrace(file: ImportedFile, rig: MeterRig, problems: Problems): MeterTrace | undefined {
  const layout = findLayout(file, problems);
  if (!layout) return undefined;
  const table = readLoose(file, layout, problems);
  const [times_s, current_a, voltage_v, power_w, , energy_j] = table.columns as readonly Float64Array[];
  if (table.rows < 2) {
    if (table.rows === 1) problems.add(file.name, "has one row of samples; at least two are needed");
    return undefined;
  }
  const nominal_s = rig.rate_hz === undefined ? medianStep(times_s!) : 1 / rig.rate_hz;
  return {
    times_s: times_s!,
    columns: { [`${CHANNEL}.current_a`]: current_a!, [`${CHANNEL}.voltage_v`]: voltage_v!, [`${CHANNEL}.power_w`]: power_w! },
    sampler: rig.sampler ?? "integrating",
    nominal_s,
    u_s: 0,
    sampling_s: scatter(times_s!, nominal_s),
    facts: {
      map: layout.time ? "UTC by the recording computer; events.jsonl is in seconds since 1970" : "seconds by the program that recorded",
      rate_hz: 1 / nominal_s,
      ...(table.missing > 0 ? { rows_without_a_sample: table.missing } : {}),
    },
    faults: cutFault(table),
    references: accumulated(times_s!, energy_j!),
  };
}

function findLayout(file: ImportedFile, problems: Problems): Layout | undefined {
  const first = firstLine(file, true);
  if (!first) {
    problems.add(file.name, "is empty; expected statistics of a Joulescope");
    return undefined;
  }
  const comments = new TextDecoder().decode(file.bytes.subarray(0, first.at)).replace("\uFEFF", "");
  const units = /^#= units=(.*)$/m.exec(comments)?.[1]?.trim();
  if (units !== undefined && !`${units},`.startsWith(`${UNITS},`)) problems.add(file.name, `units are ${quote(units)}, expected ${UNITS}`);
  const isHeader = first.cells[0] === NAMES[0];
  const noted = /^#(?:= header=)?(time,.*)$/m
    .exec(comments)?.[1]
    ?.split(",")
    .map((cell) => cell.trim());
  const names = isHeader ? first.cells : (noted ?? [...NAMES, ...MORE].slice(0, first.cells.length));
  const start = isHeader ? { next: first.next, line: first.line } : { next: first.at, line: first.line - 1 };
  const wanted = NAMES.map((name) => names.indexOf(name));
  const row = isHeader ? firstLine({ ...file, bytes: file.bytes.subarray(first.next) }, true)?.cells[0] : first.cells[0];
  const isUtc = row !== undefined && UTC.test(row);
  if (wanted.includes(-1) || !(row === undefined || isUtc || isNumber(row))) {
    problems.add(`${file.name}:${first.line}`, `expected the columns ${NAMES.join(", ")}; found ${first.cells.join(", ")}`);
    return undefined;
  }
  return { names, wanted, ...start, ...(isUtc ? { time: utc_s } : {}) };
}

/** `20240131T120000.123456Z` as seconds since 1970; NaN when it is none. */
function utc_s(bytes: Uint8Array, from: number, to: number): number {
  const [, year, month, day, hour, minute, second] = UTC.exec(new TextDecoder().decode(bytes.subarray(from, to)).trim()) ?? [];
  if (second === undefined) return Number.NaN;
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)) / 1000 + Number(second);
}

/** How far the times are from a grid, one by one: they are rounded to few digits, or stamped on arrival. */
function scatter(times_s: Float64Array, nominal_s: number): number {
  let [count, sum, squares] = [0, 0, 0];
  for (let k = 1; k < times_s.length; k++) {
    const off_s = times_s[k]! - times_s[k - 1]! - nominal_s;
    if (off_s > (CONTIGUOUS - 1) * nominal_s) continue;
    count++;
    sum += off_s;
    squares += off_s * off_s;
  }
  // A step has the errors of two times.
  return count === 0 ? 0 : Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2) / 2);
}

/** What the instrument itself accumulated over every sample it took, lost or not on the way to the host. */
function accumulated(times_s: Float64Array, energy_j: Float64Array): readonly Reference[] {
  const detail = `accumulated by the instrument from ${times_s[0]} s to ${times_s.at(-1)} s of the file, printed to 6 digits`;
  return [{ method: "Joulescope (accumulated)", name: "trace_energy", value: energy_j.at(-1)! - energy_j[0]!, unit: "J", detail }];
}
