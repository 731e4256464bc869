import type { ClockOffset, SecondsSeen } from "../model/health.ts";

/** Two clocks that are each 50 ppm off drift apart by no more than this. */
const DRIFT = 100e-6;

/**
 * How far our clock is from one that is read over a network and shows no fractions: ours minus theirs.
 *
 * A clock that shows D is somewhere in [D, D + 1), at an instant between asking and answer. So each look bounds the
 * difference by (sent - D - 1, received - D], and all looks together by what the bounds share, each the wider the older
 * it is. A look at the instant at which the second is expected to turn halves what is open, down to the round trip.
 * The bounds hold for any delay of the network; nothing is assumed of its symmetry.
 */
export class SecondHand {
  #low_s = Number.NEGATIVE_INFINITY;
  #high_s = Number.POSITIVE_INFINITY;
  #at_s = 0;

  /** @returns false where it excludes what was known: one of the two clocks was set, and all looks before are forgotten */
  push({ sent_s, received_s, shown_s }: SecondsSeen): boolean {
    const [low_s, high_s] = [sent_s - shown_s - 1, received_s - shown_s];
    const drift_s = DRIFT * Math.abs(received_s - this.#at_s);
    const [least_s, most_s] = [Math.max(low_s, this.#low_s - drift_s), Math.min(high_s, this.#high_s + drift_s)];
    const agrees = least_s <= most_s;
    [this.#low_s, this.#high_s] = agrees ? [least_s, most_s] : [low_s, high_s];
    this.#at_s = received_s;
    return agrees;
  }

  /** Undefined before the first look. The truth lies within the bound of the offset. */
  get offset(): ClockOffset | undefined {
    const [low_s, high_s] = [this.#low_s, this.#high_s];
    return high_s - low_s < Number.POSITIVE_INFINITY ? { offset_s: (low_s + high_s) / 2, bound_s: (high_s - low_s) / 2 } : undefined;
  }

  /** Our next instant, not before `from_s`, at which a look tells most. */
  next_s(from_s: number): number {
    const { offset_s } = this.offset ?? { offset_s: from_s };
    return offset_s + Math.ceil(from_s - offset_s);
  }
}
