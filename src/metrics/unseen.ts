import type { CounterReadings } from "./counter.ts";

/**
 * Standard uncertainty of the mean power between two readings of the counter, from samples that do not see all of it,
 * W: systematic sampling judged by the semivariogram of the samples (G. Matheron, The Theory of Regionalized
 * Variables, 1971).
 *
 * Power that is new in every sample (noise, ripple) differs as much between neighbours as between samples two apart,
 * and leaves its full variance per sample. Power that goes in steps further apart than the samples differs twice as
 * much two apart; a step only lies somewhere between two samples, which leaves a sixth of that. The differences
 * themselves say how much there is of either.
 */
export function unseen_w({ samples, roughness_w2, roughness2_w2 }: CounterReadings, i: number, j: number): number {
  const count = samples[j]! - samples[i]!;
  if (count <= 1) return 0;
  const near_w2 = Math.max(0, roughness_w2[j]! - roughness_w2[i]!) / (2 * count);
  const far_w2 = Math.max(0, roughness2_w2[j]! - roughness2_w2[i]!) / (2 * count);
  const steps_w2 = Math.min(near_w2, Math.max(0, far_w2 - near_w2));
  return Math.sqrt((near_w2 - steps_w2 + steps_w2 / 6) / count);
}
