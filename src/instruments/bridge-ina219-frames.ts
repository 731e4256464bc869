/** Totals since `start`, as the bridge counts them. */
export interface Totals {
  readonly type: "status" | "end";
  readonly t_us: number;
  /** Ticks so far, sampled or not: the counter the next sample would have. */
  readonly ticks: number;
  readonly i2c_errors: number;
  readonly ring_overruns: number;
  readonly missed_ticks: number;
  readonly trigger_overruns: number;
  /** The sensor's configuration register as just read; 0xffff when it could not be. */
  readonly config: number;
}

export interface Samples {
  readonly type: "samples";
  /** Of the first sample; wraps at 2^32, and so does `t_us`. */
  readonly counter: number;
  readonly t_us: number;
  readonly period_us: number;
  readonly shunt: Int16Array;
  readonly bus: Uint16Array;
}

export type BridgeFrame =
  | Samples
  | Totals
  | { readonly type: "trigger"; readonly t_us: number; readonly input: number; readonly level: 0 | 1 }
  | { readonly type: "boot"; readonly protocol: number; readonly reset_cause: number; readonly version: string };

/** Longest frame between its delimiters: 50 samples. */
export const MAX_ENCODED = 216;

const SAMPLES_HEADER = 11;
const TOTALS_LENGTH = 25;

/** Reads a payload laid out as firmware-bridge/PROTOCOL.md says. @returns undefined when it is not */
export function readFrame(payload: Uint8Array): BridgeFrame | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const type = payload[0];
  if (type === 1) return readSamples(view);
  if (type === 2 && payload.length === 7) {
    return { type: "trigger", t_us: view.getUint32(1, true), input: payload[5]!, level: payload[6] ? 1 : 0 };
  }
  if (type === 3 || type === 4) return readTotals(type === 3 ? "status" : "end", view);
  if (type === 5 && payload.length >= 6) {
    return { type: "boot", protocol: payload[1]!, reset_cause: payload[2]!, version: payload.subarray(3, 6).join(".") };
  }
  return undefined;
}

function readSamples(view: DataView): Samples | undefined {
  const length = (view.byteLength - SAMPLES_HEADER) / 4;
  if (length < 1 || !Number.isInteger(length)) return undefined;
  const shunt = new Int16Array(length);
  const bus = new Uint16Array(length);
  for (let k = 0, at = SAMPLES_HEADER; k < length; k++, at += 4) {
    shunt[k] = view.getInt16(at, true);
    bus[k] = view.getUint16(at + 2, true);
  }
  return {
    type: "samples",
    counter: view.getUint32(1, true),
    t_us: view.getUint32(5, true),
    period_us: view.getUint16(9, true),
    shunt,
    bus,
  };
}

function readTotals(type: Totals["type"], view: DataView): Totals | undefined {
  if (view.byteLength !== TOTALS_LENGTH) return undefined;
  return {
    type,
    t_us: view.getUint32(1, true),
    ticks: view.getUint32(5, true),
    i2c_errors: view.getUint32(9, true),
    ring_overruns: view.getUint32(13, true),
    missed_ticks: view.getUint32(17, true),
    trigger_overruns: view.getUint16(21, true),
    config: view.getUint16(23, true),
  };
}
