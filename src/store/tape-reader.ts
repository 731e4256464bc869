import { readdirSync } from "node:fs";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import type { TapeRecord } from "../model/tape.ts";
import { lapseOf } from "./lapse.ts";
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
   *
   * What the tape itself states as a lapse is no damage, nor is the torn beginning of a record that stands whole in
   * the next segment: a full disk leaves one.
   */
  damagedBytes(): number {
    const count = new DamageCount();
    for (const name of this.#segments) {
      const { bytes: segment, isWhole } = readSegment(join(this.#dir, name));
      if (!isWhole) count.cut();
      let at = Math.min(segment.length, SEGMENT_HEADER.length);
      while (at < segment.length) {
        const found = decodeRecord(segment, at);
        const next = found?.next ?? resync(segment, at + 1);
        if (found) count.record(found.record);
        else if (next < segment.length) count.damage(next - at);
        else count.tail(next - at);
        at = next;
      }
    }
    return count.bytes;
  }
}

class DamageCount {
  #damaged = 0;
  #places = 0;
  /** Bytes at the end of the last segment that may stand whole in the next. */
  #torn = 0;
  #seq = 0;

  get bytes(): number {
    const damaged = this.#damaged + this.#torn;
    return damaged > 0 ? damaged : this.#places;
  }

  record(record: TapeRecord): void {
    const lapse = lapseOf(record);
    const seq = lapse?.fromSeq ?? record.seq;
    if (seq > this.#seq || (seq < this.#seq && !lapse)) {
      this.#places++;
      this.#damaged += this.#torn;
    }
    this.#torn = 0;
    this.#seq = lapse ? Math.max(this.#seq, record.seq + 1) : record.seq + 1;
  }

  damage(bytes: number): void {
    this.#damaged += bytes;
  }

  tail(bytes: number): void {
    this.#damaged += this.#torn;
    this.#torn = bytes;
  }

  cut(): void {
    this.#places++;
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
