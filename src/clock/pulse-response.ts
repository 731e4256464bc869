import type { LoadPulse } from "../model/alignment.ts";

/** Mean powers of consecutive stretches of time, ascending and apart from rounding not overlapping. */
export interface PowerBins {
  readonly start_s: Float64Array;
  readonly end_s: Float64Array;
  readonly mean_w: Float64Array;
}

/**
 * A train of unit pulses, `shift_s` late, behind one pole of time constant `tau_s`: its mean over every bin.
 *
 * Exact: from `tau r' = u - r` the integral of the response r over a bin is that of the pulses u minus tau times the
 * growth of r.
 */
export function response(pulses: readonly LoadPulse[], { start_s, end_s }: PowerBins, shift_s: number, tau_s: number): Float64Array {
  const means = new Float64Array(start_s.length);
  const walk = new Walk(pulses, shift_s, tau_s);
  let edge_s = Number.NaN;
  for (let k = 0; k < means.length; k++) {
    if (start_s[k] !== edge_s) walk.to(start_s[k]!);
    const { on_s, level } = walk;
    edge_s = end_s[k]!;
    walk.to(edge_s);
    means[k] = (walk.on_s - on_s - tau_s * (walk.level - level)) / (edge_s - start_s[k]!);
  }
  return means;
}

/** Goes forward in time along a train; `on_s` is how long it was on so far, `level` what comes out of the pole. */
class Walk {
  on_s = 0;
  level = 0;
  readonly #pulses: readonly LoadPulse[];
  readonly #shift_s: number;
  readonly #tau_s: number;
  /** Next edge: k is the start of pulse k / 2, or its end when k is odd. */
  #edge = 0;
  #now_s: number;
  #next_s: number;
  /** Steps of even length are most of all, and an exponential is most of the work. */
  #step_s = 0;
  #decay = 1;

  constructor(pulses: readonly LoadPulse[], shift_s: number, tau_s: number) {
    this.#pulses = pulses;
    this.#shift_s = shift_s;
    this.#tau_s = tau_s;
    this.#now_s = this.#next_s = this.#at(0);
  }

  to(t_s: number): void {
    while (this.#next_s <= t_s) {
      this.#move(this.#next_s);
      this.#next_s = this.#at(++this.#edge);
    }
    if (this.#edge > 0) this.#move(t_s);
  }

  #move(t_s: number): void {
    const target = this.#edge % 2;
    const step_s = t_s - this.#now_s;
    if (Math.abs(step_s - this.#step_s) > SAME_STEP_S) {
      this.#step_s = step_s;
      this.#decay = Math.exp(-step_s / this.#tau_s);
    }
    this.on_s += target * step_s;
    this.level = target + (this.level - target) * this.#decay;
    this.#now_s = t_s;
  }

  #at(edge: number): number {
    const pulse = this.#pulses[edge >> 1];
    if (!pulse) return Number.POSITIVE_INFINITY;
    return this.#shift_s + (edge % 2 === 0 ? pulse.on_s : pulse.off_s);
  }
}

/** Steps that differ by rounding of session seconds only. */
const SAME_STEP_S = 1e-11;
