import { readFileSync } from "node:fs";
import { constants, gunzipSync } from "node:zlib";

/** What could be read of one segment. */
export interface Segment {
  readonly bytes: Uint8Array;
  /** False when its compressed form was cut short or damaged, so that more was there once. */
  readonly isWhole: boolean;
}

/** Reads a segment, compressed or not; one that a copy cut short or a disk damaged gives what stands before that place. */
export function readSegment(path: string): Segment {
  const stored = readFileSync(path);
  if (!path.endsWith(".gz")) return { bytes: stored, isWhole: true };
  try {
    return { bytes: gunzipSync(stored), isWhole: true };
  } catch {
    return { bytes: beforeDamage(stored), isWhole: false };
  }
}

/** The decompressed content of the longest beginning that is free of errors; found by halves, for zlib does not say where it stumbled. */
function beforeDamage(stored: Uint8Array): Uint8Array {
  let good = new Uint8Array(0);
  let [low, high] = [0, stored.length + 1];
  // Most segments are only cut: then the first attempt, with everything there is, succeeds.
  for (let length = stored.length; low + 1 < high; length = (low + high) >> 1) {
    try {
      good = new Uint8Array(gunzipSync(stored.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH }));
      low = length;
    } catch {
      high = length;
    }
  }
  return good;
}
