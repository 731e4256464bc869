import type { SteadyMean } from "./calibration.ts";

/** Readings are averaged in this many batches, so that neighbours that resemble each other do not count twice. */
const BATCHES = 20;

/**
 * Mean of a reading that should not change, with the standard uncertainty that its batches scatter by; what it drifted
 * from its first half to its second counts as a rectangular error of the mean.
 *
 * @param values evenly sampled, at least one per batch
 */
export function steadyMean(values: readonly number[]): SteadyMean {
  const batches = Array.from({ length: BATCHES }, (_, b) =>
    meanOf(values.slice(Math.floor((b * values.length) / BATCHES), Math.floor(((b + 1) * values.length) / BATCHES))),
  );
  const value = meanOf(values);
  const scatter = batches.reduce((sum, each) => sum + (each - value) ** 2, 0) / (BATCHES - 1);
  const drift = meanOf(batches.slice(BATCHES / 2)) - meanOf(batches.slice(0, BATCHES / 2));
  return { value, u: Math.hypot(Math.sqrt(scatter / BATCHES), drift / Math.sqrt(12)), dof: BATCHES - 1 };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;
