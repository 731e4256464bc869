import type { CounterReadings } from "./counter.ts";
import type { Instants } from "./instants.ts";

/** Power the device draws when it does nothing: the median of 1 s means over the idle intervals, and its uncertainty. */
export interface Baseline {
  readonly name: string;
  readonly power_w: number;
  /** Standard uncertainty of the median (type A), W. */
  readonly u_w: number;
  readonly dof: number;
  readonly duration_s: number;
  /** The means themselves, in order of time. */
  readonly means_w: readonly number[];
}

const BIN_S = 1;
/**
 * Standard error of the median of n normal values over that of their mean.
 *
 * It tends to sqrt(pi / 2). Of few values the median is better than that, and better still of an even number, when it
 * is the mean of two; the two constants are fitted to simulated medians and give these within 0.5 % from n = 3 on.
 */
const medianPenalty = (n: number): number => (n < 3 ? 1 : Math.sqrt(((Math.PI / 2) * n) / (n + (n % 2 ? 0.48 : 1.33))));

/** A 1 s mean strays when it is further from the idle power than this share of it, and so many of them may. */
export const STRAY = 0.1;
const MOST_STRAYS = 0.05;

/** How many 1 s means lie too far from the idle power. */
export const straysOf = ({ means_w, power_w }: Baseline): number =>
  means_w.filter((each) => Math.abs(each - power_w) > STRAY * Math.abs(power_w)).length;

/** Whether the device was idle all the time, as far as its power tells. */
export const isSteady = (baseline: Baseline): boolean => straysOf(baseline) <= MOST_STRAYS * baseline.means_w.length;

type Interval = readonly [number, number];

/** Edges of equal bins of about one second; the same numbers again for the same intervals. */
const binEdges = ([start_s, end_s]: Interval): number[] => {
  const bins = Math.max(1, Math.floor((end_s - start_s) / BIN_S));
  return Array.from({ length: bins + 1 }, (_, i) => (i === bins ? end_s : start_s + ((end_s - start_s) * i) / bins));
};

/** The instants at which {@link baselinesOf} needs the energy counter. */
export const baselineInstants = (idle: readonly Interval[]): number[] => idle.flatMap(binEdges);

/**
 * Idle power before the workload, after it, and the one that net values refer to: the cold one where it was measured,
 * since what a warm device draws more is the workload's doing.
 */
export interface Baselines {
  readonly cold: Baseline | undefined;
  readonly hot: Baseline | undefined;
  readonly used: Baseline | undefined;
}

/** @param firstEvent_s session time at which the device began to work; Infinity when it never did */
export function baselinesOf(
  idle: readonly Interval[],
  firstEvent_s: number,
  { instants, readings }: { readonly instants: Instants; readonly readings: CounterReadings },
): Baselines {
  const cold = baselineOf(
    "cold idle",
    idle.filter(([, end_s]) => end_s <= firstEvent_s),
    instants,
    readings,
  );
  const hot = baselineOf(
    "hot idle",
    idle.filter(([, end_s]) => end_s > firstEvent_s),
    instants,
    readings,
  );
  return { cold, hot, used: cold ?? hot };
}

/** @returns undefined when there is no idle interval with samples throughout. */
function baselineOf(kind: string, idle: readonly Interval[], instants: Instants, readings: CounterReadings): Baseline | undefined {
  const means: number[] = [];
  let duration_s = 0;
  for (const interval of idle) {
    const edges = binEdges(interval).map((edge) => instants.indexOf(edge));
    for (let b = 1; b < edges.length; b++) {
      const [i, j] = [edges[b - 1]!, edges[b]!];
      const covered_s = readings.covered_s[j]! - readings.covered_s[i]!;
      const length_s = instants.at[j]! - instants.at[i]!;
      if (covered_s < 0.95 * length_s) continue;
      means.push((readings.energy_j[j]! - readings.energy_j[i]!) / covered_s);
      duration_s += length_s;
    }
  }
  if (means.length === 0) return undefined;
  const sorted = means.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const power_w = sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
  const mean_w = means.reduce((sum, each) => sum + each, 0) / means.length;
  const variance = means.reduce((sum, each) => sum + (each - mean_w) ** 2, 0) / Math.max(1, means.length - 1);
  const u_w = medianPenalty(means.length) * Math.sqrt(variance / means.length);
  const name = `${kind}, median of ${means.length} means of ${BIN_S} s`;
  return { name, power_w, u_w, dof: Math.max(1, means.length - 1), duration_s, means_w: means };
}
