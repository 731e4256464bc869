import { z } from "zod";
import type { ImportedFile } from "../model/recording.ts";
import { textOf } from "./folder.ts";
import { readJson } from "./json.ts";
import { type Problems, quote } from "./problems.ts";

const STAMP = /^(\d\d)-(\d\d)-(\d{4}) (\d\d):(\d\d):(\d\d)\.(\d{3})$/;
const MARK = ":::MLLOG ";

/** `MM-DD-YYYY HH:MM:SS.mmm` as milliseconds since 1970, read as UTC; NaN when it is none. */
export function stamp_ms(text: string): number {
  const [, month, day, year, hour, minute, second, milli] = STAMP.exec(text) ?? [];
  if (milli === undefined) return Number.NaN;
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), Number(milli));
}

/** Power samples of `spl.txt`: stamps on the server's clock, milliseconds since 1970 and rising, and watts. */
export interface PowerLog {
  readonly times_ms: readonly number[];
  readonly power_w: readonly number[];
  /** Lines that are no samples, and samples without a usable reading. */
  readonly unread: number;
}

/** Reads `spl.txt`. As in MLPerf's checker, lines that are no samples and readings not above 0 W do not count. */
export function readPowerLog(file: ImportedFile, problems: Problems): PowerLog {
  const times_ms: number[] = [];
  const power_w: number[] = [];
  let unread = 0;
  for (const [index, line] of textOf(file).split("\n").entries()) {
    const cells = line.trim().split(",");
    if (cells.length === 1 && cells[0] === "") continue;
    const where = `${file.name}:${index + 1}`;
    const at_ms = stamp_ms(cells[1] ?? "");
    const watts = Number(cells[cells.indexOf("Watts") + 1]);
    if (cells[0] !== "Time") unread++;
    else if (Number.isNaN(at_ms)) problems.add(where, `stamp is ${quote(cells[1] ?? "")}, expected MM-DD-YYYY HH:MM:SS.mmm`);
    else if (!cells.includes("Watts")) problems.add(where, "has no Watts");
    else if (!(watts > 0)) unread++;
    else if (at_ms <= (times_ms.at(-1) ?? at_ms - 1)) problems.add(where, `stamp ${cells[1]} does not rise`);
    else {
      times_ms.push(at_ms);
      power_w.push(watts);
    }
  }
  if (times_ms.length === 0) problems.add(file.name, 'has no power sample; expected lines "Time,…,Watts,…"');
  return { times_ms, power_w, unread };
}

/** Values of `mlperf_log_detail.txt` by key; of a key that comes again, the last. */
export function readDetail(file: ImportedFile, problems: Problems): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [index, line] of textOf(file).split("\n").entries()) {
    if (!line.startsWith(MARK)) continue;
    try {
      const { key, value } = z.looseObject({ key: z.string(), value: z.unknown() }).parse(JSON.parse(line.slice(MARK.length)));
      values.set(key, value);
    } catch {
      problems.add(`${file.name}:${index + 1}`, `expected ${MARK}{"key": …, "value": …}`);
    }
  }
  return values;
}

const Message = z.looseObject({ cmd: z.string(), cmd_time: z.number(), reply: z.string(), reply_time: z.number() });

/** What `client.json` and `server.json` say that an import needs. `phases.testing`: [unix seconds, monotonic seconds] of its four marks. */
const HostLog = z.looseObject({
  timezone: z.number(),
  messages: z.array(Message),
  phases: z.looseObject({ testing: z.array(z.array(z.number()).min(1)).min(4, "expected the four marks of the testing phase") }),
});
export type HostLog = z.infer<typeof HostLog>;

export const readHostLog = (file: ImportedFile, problems: Problems): HostLog | undefined => readJson(file, HostLog, problems);
