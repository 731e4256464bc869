/** One event of an app's file: `prefill.0.end`, and when, seconds since 1970 on the phone's clock. */
export interface Stamp {
  readonly key: string;
  readonly at_s: number;
}

const ROW = /^([A-Za-z_]\w*(?:\.\w+)*\.(?:start|end))[,\s]\s*(\d{16,19})\s*$/;

/** Reads `key,nanoseconds since 1970`; undefined when the line is none. */
export function readStamp(line: string): Stamp | undefined {
  const [, key, ns] = ROW.exec(line) ?? [];
  return key === undefined || ns === undefined ? undefined : { key, at_s: Number(ns) / 1e9 };
}

/** From the start to the end of one key. */
export interface StampSpan {
  readonly index: number;
  readonly start_s: number;
  readonly end_s: number;
}

/**
 * Starts and ends of the keys a pattern names, by time. Its first group is their number.
 *
 * Files of several conversations count from 0 again, so that a start is paired with the next end of its number. An end
 * without start is taken as a span without length, a start without end is left out.
 *
 * @param stamps rising
 */
export function spansOf(stamps: readonly Stamp[], pattern: RegExp): readonly StampSpan[] {
  const open = new Map<number, number>();
  const spans: StampSpan[] = [];
  for (const { key, at_s } of stamps) {
    const [, number, edge] = pattern.exec(key) ?? [];
    if (number === undefined) continue;
    const index = Number(number);
    if (edge === "start") open.set(index, at_s);
    else {
      spans.push({ index, start_s: open.get(index) ?? at_s, end_s: at_s });
      open.delete(index);
    }
  }
  return spans.toSorted((a, b) => a.start_s - b.start_s || a.end_s - b.end_s);
}

/** By time; of equal times starts come before ends, because a coarse clock gives a short span one stamp. */
export const rising = (stamps: readonly Stamp[]): readonly Stamp[] =>
  stamps.toSorted((a, b) => a.at_s - b.at_s || Number(a.key.endsWith(".end")) - Number(b.key.endsWith(".end")));
