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
