import { readdirSync } from "node:fs";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import type { TapeRecord } from "../model/tape.ts";
import { decodeRecord, resync, SEGMENT_HEADER } from "./record.ts";
import { readSegment } from "./segment.ts";

/**
 * The tape of a session, read and never written: damage costs the damaged records and nothing else.
 *
 * One segment at a time is in memory; the writer bounds their size.
 */
export class TapeReader {
  readonly #dir: string;
  readonly #segments: readonly string[];

  /** @throws JoulebenchError `config` when `dir` holds no tape. */
  constructor(dir: string) {
    this.#dir = dir;
    this.#segments = segmentsOf(dir);
    if (this.#segments.length === 0)
      throw new JoulebenchError("config", dir, "no tape here (expected 000000.seg or 000000.seg.gz); is this a session folder?");
  }

  *records(): Generator<TapeRecord> {
    for (const name of this.#segments) {
      const { bytes: segment } = readSegment(join(this.#dir, name));
      let at = SEGMENT_HEADER.length;
      while (at < segment.length) {
        const found = decodeRecord(segment, at);
        if (found) yield found.record;
        at = found?.next ?? resync(segment, at + 1);
      }
    }
  }

  /**
   * Bytes that belong to no whole record: a torn tail, or damage. Where records are missing and not even a part of
   * them is left, as when a segment is gone, it is one byte for each such place.
   */
  damagedBytes(): number {
    let damaged = 0;
    let places = 0;
    let seq = 0;
    for (const name of this.#segments) {
      const { bytes: segment, isWhole } = readSegment(join(this.#dir, name));
      if (!isWhole) places++;
      let at = Math.min(segment.length, SEGMENT_HEADER.length);
      while (at < segment.length) {
        const found = decodeRecord(segment, at);
        if (found) {
          if (found.record.seq !== seq) places++;
          seq = found.record.seq + 1;
        }
        const next = found?.next ?? resync(segment, at + 1);
        if (!found) damaged += next - at;
        at = next;
      }
    }
    return damaged > 0 ? damaged : places;
  }
}

/** Each segment once, in order: the compressed one where both stand, since it is complete when it has its name. */
function segmentsOf(dir: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch (cause) {
    throw new JoulebenchError("config", dir, "cannot be read; is this a session folder?", { cause });
  }
  const closed = new Set(names.filter((name) => /^\d{6}\.seg\.gz$/.test(name)));
  return names.filter((name) => closed.has(name) || (/^\d{6}\.seg$/.test(name) && !closed.has(`${name}.gz`))).sort();
}
