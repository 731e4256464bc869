import type { Plant } from "../src/simulate/plant.ts";

export interface SquareWave {
  readonly high_w: number;
  readonly high_s: number;
  readonly low_w: number;
  readonly low_s: number;
}

/** Two levels in turn for ever, high first from time 0 on: a day of it takes no memory. */
export function squareWave({ high_w, high_s, low_w, low_s }: SquareWave): Plant {
  const period_s = high_s + low_s;
  const phaseAt = (t: number): number => t - Math.floor(t / period_s) * period_s;
  const since0_j = (t: number): number => {
    const phase_s = phaseAt(t);
    const periods = Math.round((t - phase_s) / period_s);
    const highs_s = periods * high_s + Math.min(phase_s, high_s);
    return highs_s * high_w + (t - highs_s) * low_w;
  };
  const energy_j = (from: number, to: number): number => since0_j(to) - since0_j(from);
  return {
    supply_v: 5,
    power_w: (t) => (phaseAt(t) < high_s ? high_w : low_w),
    energy_j,
    meanPower_w(from_s, step_s, means_w) {
      for (let k = 0; k < means_w.length; ) {
        const phase_s = phaseAt(from_s + k * step_s);
        const isHigh = phase_s < high_s;
        const left_s = (isHigh ? high_s : period_s) - phase_s;
        const whole = Math.min(means_w.length, k + Math.max(0, Math.floor(left_s / step_s)));
        means_w.fill(isHigh ? high_w : low_w, k, whole);
        // The step in which the level changes.
        if (whole < means_w.length) means_w[whole] = energy_j(from_s + whole * step_s, from_s + (whole + 1) * step_s) / step_s;
        k = whole + 1;
      }
    },
  };
}
