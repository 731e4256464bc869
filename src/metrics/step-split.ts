import type { Window } from "../model/measurement.ts";
import type { CounterReadings } from "./counter.ts";
import type { Instants } from "./instants.ts";

/** An instant inside a sample whose successor is not known yet. */
export interface OpenSplit {
  /** Index of the instant. */
  readonly at: number;
  /** Share of the sample that lies before the instant. */
  readonly share: number;
  readonly length_s: number;
  readonly mean_w: number;
  /** Mean power of the sample before; NaN where there is none. */
  readonly before_w: number;
}

/** Smaller steps are ripple; and the sample's mean must lie between its neighbours', within this slack. */
const LEAST_STEP = 0.2;
const SLACK = 0.05;

/**
 * Energy before the instant if power steps there, less the energy if it were constant: science of both in
 * docs/uncertainty.md. A sample of mean P split at f between P1 and P2 has P dt f P1 / (f P1 + (1 - f) P2) before the step.
 */
export function stepShift_j({ share, length_s, mean_w, before_w }: OpenSplit, after_w: number): number {
  const step_w = Math.abs(after_w - before_w);
  const slack_w = SLACK * step_w;
  const isBetween = mean_w > Math.min(before_w, after_w) - slack_w && mean_w < Math.max(before_w, after_w) + slack_w;
  if (!(step_w > LEAST_STEP * Math.abs(mean_w)) || !isBetween || !(before_w > 0) || !(after_w > 0)) return 0;
  const energy_j = mean_w * length_s;
  return energy_j * ((share * before_w) / (share * before_w + (1 - share) * after_w) - share);
}

/** From this rate on samples are so short that splitting them by time alone costs less than 0.1 % of any phase. */
const FAST_HZ = 500;

/**
 * Moves the readings at the edges of phases to where a step of power puts them: for slow meters, and only where time is
 * known to a quarter of a sample. Every window that shares the edge sees the same reading, so that sums stay exact.
 *
 * @returns whether the reading at an instant was moved
 */
export function splitAtPhaseEdges(
  readings: CounterReadings,
  windows: readonly Window[],
  { instants, timing_s }: { readonly instants: Instants; readonly timing_s: (t: number) => number },
): (edge_s: number) => boolean {
  const moved = new Set<number>();
  if (readings.step_s * FAST_HZ <= 1) return () => false;
  for (const { phase, start_s, end_s } of windows) {
    if (phase === "token") continue;
    for (const edge_s of [start_s, end_s]) {
      const i = instants.indexOf(edge_s);
      if (moved.has(i) || readings.stepShift_j[i] === 0 || timing_s(edge_s) >= readings.step_s / 4) continue;
      moved.add(i);
      readings.energy_j[i]! += readings.stepShift_j[i]!;
    }
  }
  return (edge_s) => moved.has(instants.indexOf(edge_s));
}
