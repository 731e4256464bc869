import type { Phase } from "../model/measurement.ts";

/** An interval of the truth, seconds since the plant's time zero. */
export interface TrueWindow {
  readonly phase: Phase;
  readonly request: string;
  readonly start_s: number;
  readonly end_s: number;
  readonly tokens: number;
}

/**
 * The ground truth: a device whose power and energy are known in closed form at every instant.
 *
 * Time is true time in seconds; what the emulated instruments and the emulated device see of it is up to them.
 */
export interface Plant {
  /** Voltage at the supply terminals, constant. */
  readonly supply_v: number;
  power_w(t: number): number;
  /** Exact energy over [from, to), joules. */
  energy_j(from: number, to: number): number;
  /**
   * Exact mean power of `means_w.length` intervals of `step_s` each, the first from `from_s` on: the same numbers
   * as one `energy_j` per interval, for plants that can give them in bulk.
   */
  meanPower_w?(from_s: number, step_s: number, means_w: Float64Array): void;
}

/** Mean power of consecutive intervals, in bulk where the plant can, else one by one. */
export function meanPower(plant: Plant, from_s: number, step_s: number, means_w: Float64Array): void {
  if (plant.meanPower_w) plant.meanPower_w(from_s, step_s, means_w);
  else for (let k = 0; k < means_w.length; k++) means_w[k] = plant.energy_j(from_s + k * step_s, from_s + (k + 1) * step_s) / step_s;
}

/** A resistor on a supply: the same power at all times, and none at 0 W. */
export const constantLoad = (supply_v: number, power_w: number): Plant => ({
  supply_v,
  power_w: () => power_w,
  energy_j: (from, to) => power_w * (to - from),
});

/** The same plant, everything `by_s` later. */
export function shifted(plant: Plant, by_s: number): Plant {
  return {
    supply_v: plant.supply_v,
    power_w: (t) => plant.power_w(t - by_s),
    energy_j: (from, to) => plant.energy_j(from - by_s, to - by_s),
    meanPower_w: (from_s, step_s, means_w) => meanPower(plant, from_s - by_s, step_s, means_w),
  };
}

/** Several loads on one supply: the voltage is the first one's, powers and energies add. */
export function together(first: Plant, ...others: readonly Plant[]): Plant {
  const plants = [first, ...others];
  return {
    supply_v: first.supply_v,
    power_w: (t) => plants.reduce((sum, plant) => sum + plant.power_w(t), 0),
    energy_j: (from, to) => plants.reduce((sum, plant) => sum + plant.energy_j(from, to), 0),
    meanPower_w: (from_s, step_s, means_w) => {
      const part_w = new Float64Array(means_w.length);
      meanPower(first, from_s, step_s, means_w);
      for (const plant of others) {
        meanPower(plant, from_s, step_s, part_w);
        for (let k = 0; k < part_w.length; k++) means_w[k]! += part_w[k]!;
      }
    },
  };
}
