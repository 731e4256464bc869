import type { HostNs } from "./clock.ts";

/**
 * What a record is. `rx`/`tx` bytes received and sent; `control` a JSON statement of the session about a source
 * (a mark, an identity); `open`/`close` a source came or went, JSON says which and why; `tick` 100 ms passed;
 * `rig` the rig as parsed; `clock` monotonic, wall and boot id read together.
 */
export const RECORD_KINDS = ["rx", "tx", "control", "open", "close", "tick", "rig", "clock"] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** One record of the tape; the order of `seq` is the order of everything, live and replayed. */
export interface TapeRecord {
  readonly seq: number;
  readonly source: string;
  readonly kind: RecordKind;
  readonly host_ns: HostNs;
  readonly bytes: Uint8Array;
}

/** The source under which the tape says what it could not keep, in records of kind `control`. */
export const TAPE = "tape";

/**
 * A stretch of the session that is not on the tape, or perhaps not on the disk.
 *
 * `missing`: arrived and was counted, but there was no place to keep it. `suspect`: written, and before it was
 * acknowledged the disk reported an error, so that it may or may not be there.
 */
export interface Lapse {
  readonly state: "missing" | "suspect";
  /** First and last `seq` of the stretch; none where `toSeq` is before `fromSeq`. */
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Host times of the last record before the stretch and of the first one after it. */
  readonly from_ns: HostNs;
  readonly to_ns: HostNs;
  /** What was dropped, by source; of a suspect stretch nothing was. */
  readonly dropped: Readonly<Record<string, { readonly records: number; readonly bytes: number }>>;
  /** The system's word for it. */
  readonly cause: string;
}
