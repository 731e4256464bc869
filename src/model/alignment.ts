/** A load pulse in session time, as the device states it: busy over [on_s, off_s). */
export interface LoadPulse {
  readonly on_s: number;
  readonly off_s: number;
}

/**
 * A check of power against events that needs no common clock: something the device did is looked for in its power.
 *
 * `offset_s` is how much later the power came than the device's word for it, after both clocks were put on the
 * session's with their latencies: 0 is expected. `u_s` is its standard uncertainty (k = 1).
 */
export interface PulseAlignment {
  readonly kind: "pulses";
  /** Session time of the middle of the train. */
  readonly at_s: number;
  /** Whether the train was recognised beyond doubt; the other values are null where there was nothing to compute them from. */
  readonly found: boolean;
  readonly offset_s: number | null;
  readonly u_s: number | null;
  /** Time constant of the one pole through which the load was seen. */
  readonly tau_s: number | null;
  /** Correlation of the power with the train where it fits best, and how much lower it is wherever else it fits. */
  readonly peak: number | null;
  readonly gap: number | null;
  /** Why it was not found. */
  readonly reason?: string;
}

/** The same from a wire: edges the device stamped against those its power monitor saw at its trigger input. */
export interface TriggerAlignment {
  readonly kind: "trigger";
  readonly at_s: number;
  readonly found: boolean;
  /** Mean over `count` pairs of edges, and how they scatter. */
  readonly offset_s: number | null;
  readonly u_s: number | null;
  readonly sd_s: number | null;
  readonly count: number;
  readonly reason?: string;
}

export type Alignment = PulseAlignment | TriggerAlignment;
