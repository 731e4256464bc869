import type { Fault } from "./errors.ts";
import type { InferenceEvent } from "./event.ts";
import type { Measurement } from "./measurement.ts";

/** Mean, least and largest power of one channel over a short interval of session time. */
export interface PowerMean {
  readonly source: string;
  readonly start_s: number;
  readonly end_s: number;
  readonly mean_w: number;
  readonly min_w: number;
  readonly max_w: number;
}

/**
 * Where copies of results go. A sink takes what it cares about, never blocks and never throws: it keeps a queue
 * bounded in bytes and counts what it had to refuse. Only the store acknowledges.
 */
export interface Sink {
  readonly kind: string;
  power?(mean: PowerMean): void;
  event?(event: InferenceEvent, at_s: number): void;
  fault?(fault: Fault): void;
  measurement?(measurement: Measurement): void;
  /** Sends what is left, within a time of its own. Resolves with what could not be delivered. */
  close(): Promise<{ readonly refused: number; readonly reason?: string }>;
}
