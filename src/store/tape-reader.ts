import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gunzipSync } from "node:zlib";
import { JoulebenchError } from "../model/errors.ts";
import type { TapeRecord } from "../model/tape.ts";
import { decodeRecord, resync, SEGMENT_HEADER } from "./record.ts";

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
      const segment = load(join(this.#dir, name));
      let at = SEGMENT_HEADER.length;
      while (at < segment.length) {
        const found = decodeRecord(segment, at);
        if (found) yield found.record;
        at = found?.next ?? resync(segment, at + 1);
      }
    }
  }

  /** Bytes that belong to no whole record: a torn tail, or damage. */
  damagedBytes(): number {
    let damaged = 0;
    for (const name of this.#segments) {
      const segment = load(join(this.#dir, name));
      let at = Math.min(segment.length, SEGMENT_HEADER.length);
      while (at < segment.length) {
        const next = decodeRecord(segment, at)?.next;
        if (next === undefined) {
          const resumed = resync(segment, at + 1);
          damaged += resumed - at;
          at = resumed;
        } else at = next;
      }
    }
    return damaged;
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

function load(path: string): Uint8Array {
  const bytes = readFileSync(path);
  // A compressed segment that was cut short by a copy still gives what it holds.
  return path.endsWith(".gz") ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes;
}
