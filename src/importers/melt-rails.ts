import type { Fault } from "../model/errors.ts";
import type { ImportedFile } from "../model/recording.ts";
import { ENERGY, matching } from "./melt-files.ts";
import { POWER } from "./meter-recording.ts";
import { quote } from "./problems.ts";

/** Values with their times, which rise; seconds since `origin_s` of the log. */
export interface Series {
  readonly times_s: number[];
  readonly values: number[];
}

/** One rail as jetson-monitor reads it: each quantity by itself, in A, V and W. */
export interface Rail {
  readonly current: Series;
  readonly voltage: Series;
  readonly power: Series;
}

/** What jetson-monitor wrote, all iterations one after the other. */
export interface MonitorLog {
  /** Seconds since 1970 from which the times count. */
  readonly origin_s: number;
  readonly rails: ReadonlyMap<string, Rail>;
  readonly temperatures: readonly { readonly zone: string; readonly at_s: number; readonly value_degc: number }[];
  readonly faults: readonly Fault[];
}

/** Nanoseconds since 1970 have 19 digits until 2286: more of them are a stray number printed into the line. */
const LINE = /^(\d{10})(\d{9}) (\S+): (-?\d+(?:\.\d+)?(?:e-?\d+)?) (mA|mV|mW|mC)$/;
const LABEL = /^(current|voltage|power)_(\S+)$/;
/** A loop variable that the program prints, and which cores are on. */
const LEFT_OVER = /^(?:\d+|\d{19} CPU Core #\d+: (?:en|dis)abled)$/;
/** What a zone reads whose part of the chip is off, m°C. */
const OFF_MDEGC = -256_000;
const UNCONNECTED = "NC";
const THOUSANDTH = 1e-3;

/**
 * Reads `energy_iter*.log` of brave-experiments/jetson-monitor: `<nanoseconds since 1970> <label>: <value> <unit>`, with
 * the labels of a sweep in any order, `current_VDD_IN` in mA, `voltage_VDD_IN` in mV, `power_VDD_IN` in mW, zones in mC.
 */
export function readMonitorLogs(files: readonly ImportedFile[]): MonitorLog {
  const reader = new Reader();
  for (const file of matching(files, ENERGY)) for (const line of linesOf(file.bytes)) reader.take(line);
  return reader.finish();
}

class Reader {
  readonly #rails = new Map<string, Rail>();
  readonly #temperatures: { zone: string; at_s: number; value_degc: number }[] = [];
  #origin_s = Number.NaN;
  #unread = 0;
  #firstUnread = "";
  #falling = 0;

  take(line: string): void {
    const [, second, nanosecond, label = "", value, unit] = LINE.exec(line) ?? [];
    if (second === undefined) {
      if (line === "" || LEFT_OVER.test(line)) return;
      if (this.#unread++ === 0) this.#firstUnread = line;
      return;
    }
    if (Number.isNaN(this.#origin_s)) this.#origin_s = Number(second);
    const at_s = Number(second) - this.#origin_s + Number(nanosecond) / 1e9;
    if (unit === "mC") {
      if (Number(value) !== OFF_MDEGC) this.#temperatures.push({ zone: label, at_s, value_degc: Number(value) * THOUSANDTH });
      return;
    }
    const [, quantity, name] = LABEL.exec(label) ?? [];
    if (name === undefined || name === UNCONNECTED) return;
    this.#add(name, quantity as keyof Rail, at_s, Number(value) * THOUSANDTH);
  }

  finish(): MonitorLog {
    const faults: Fault[] = [];
    const put = (code: Fault["code"], count: number, detail: string): void => {
      if (count > 0) faults.push({ source: POWER, code, count, at_s: 0, detail });
    };
    put("unread_line", this.#unread, `no line of jetson-monitor: ${quote(this.#firstUnread)}`);
    put("clock_step", this.#falling, "stamps that do not rise were left out");
    return { origin_s: this.#origin_s, rails: this.#rails, temperatures: this.#temperatures, faults };
  }

  #add(name: string, quantity: keyof Rail, at_s: number, value: number): void {
    const rail = this.#rails.get(name) ?? { current: empty(), voltage: empty(), power: empty() };
    this.#rails.set(name, rail);
    const { times_s, values } = rail[quantity];
    if (at_s <= (times_s.at(-1) ?? Number.NEGATIVE_INFINITY)) {
      this.#falling++;
      return;
    }
    times_s.push(at_s);
    values.push(value);
  }
}

const empty = (): Series => ({ times_s: [], values: [] });

/** Line by line, because a log of hours is longer than a string may be. */
function* linesOf(bytes: Uint8Array): Generator<string> {
  const decoder = new TextDecoder();
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(0x0a, from);
    const to = found < 0 ? bytes.length : found;
    yield decoder.decode(bytes.subarray(from, to)).trimEnd();
    from = to + 1;
  }
}

/** Value of a series nearest to each of the given times, which rise; NaN where it is further than `reach_s`. */
export function nearest({ times_s, values }: Series, at: readonly number[], reach_s: number): Float64Array {
  let k = 0;
  return Float64Array.from(at, (at_s) => {
    while (k + 1 < times_s.length && Math.abs(times_s[k + 1]! - at_s) <= Math.abs(times_s[k]! - at_s)) k++;
    return Math.abs((times_s[k] ?? Number.NaN) - at_s) <= reach_s ? values[k]! : Number.NaN;
  });
}
