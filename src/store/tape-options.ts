import type { TapeRecord } from "../model/tape.ts";
import type { Disk } from "./disk.ts";

/**
 * While there is no place on the disk, small records are kept up to this much memory, and up to twice as much those
 * without which a replay goes wrong; and never more than half of the reserve, which must take them at the end.
 */
const PATIENT_BYTES = 1024 * 1024;
const VITAL: ReadonlySet<TapeRecord["kind"]> = new Set(["control", "open", "close", "rig", "clock"]);

/** How a tape is kept. */
export interface TapeOptions {
  readonly disk?: Disk;
  /**
   * What a refusal of the disk leads to: `throw` ends it; `pause` goes on in a new segment, or waits for space, and
   * puts on the tape what is missing or suspect.
   */
  readonly onRefusal?: "throw" | "pause";
  /** Space kept back for an end in order on a full disk. */
  readonly reserve_bytes?: number;
  /** False keeps closed segments as they were written. */
  readonly compressed?: boolean;
  /** What is dropped, and counted, while there is no place for it; by default bytes received and sent, and ticks. */
  readonly isBulk?: (record: TapeRecord) => boolean;
  /** Told what the user should know. */
  readonly notice?: (message: string) => void;
  /** Told the first and the last `seq` of what the disk has acknowledged. */
  readonly acknowledged?: (fromSeq: number, toSeq: number) => void;
}

const isBulkByKind = ({ kind }: TapeRecord): boolean => kind === "rx" || kind === "tx" || kind === "tick";

/** Whether a record must be dropped while there is no place for it, with `held_bytes` in memory already. */
export function mustDrop(record: TapeRecord, held_bytes: number, { isBulk = isBulkByKind, reserve_bytes = 0 }: TapeOptions): boolean {
  const patient = Math.min(PATIENT_BYTES, reserve_bytes > 0 ? reserve_bytes / 4 : PATIENT_BYTES);
  return isBulk(record) || held_bytes >= (VITAL.has(record.kind) ? 2 * patient : patient);
}
