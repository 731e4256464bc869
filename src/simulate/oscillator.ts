/** What a clock does wrong. All zero by default: a perfect clock. */
export interface ClockError {
  /** Reading at true time 0, seconds. */
  readonly offset_s?: number;
  /** Rate error in parts per million; positive when it runs fast. */
  readonly ppm?: number;
  /** Further rate error at time 0, which dies away with `warmup_s` as the crystal reaches its temperature. */
  readonly warmup_ppm?: number;
  readonly warmup_s?: number;
}

/** A clock with a known error: the same law read in both directions. */
export interface Oscillator {
  /** What the clock shows at true time `true_s`, seconds. */
  reading_s(true_s: number): number;
  /** True time at which the clock shows `reading_s`. */
  true_s(reading_s: number): number;
}

/**
 * `reading = offset + t (1 + ppm) + warmup ppm · τ (1 - e^(-t/τ))`, with the warm-up starting at time 0.
 *
 * Before time 0 the clock already runs at its initial rate, so that readings never jump or run back.
 */
export function oscillator({ offset_s = 0, ppm = 0, warmup_ppm = 0, warmup_s = 300 }: ClockError = {}): Oscillator {
  const rate = ppm * 1e-6;
  const warm = warmup_ppm * 1e-6;
  const gained = (t: number): number => rate * t + (t < 0 ? warm * t : -warm * warmup_s * Math.expm1(-t / warmup_s));
  return {
    reading_s: (t) => offset_s + t + gained(t),
    true_s: (reading) => {
      let t = reading - offset_s;
      // A fixed point: each pass leaves at most the rate error (1e-2, a bad resonator) of the error before it.
      for (let pass = 0; pass < 9; pass++) t = reading - offset_s - gained(t);
      return t;
    },
  };
}
