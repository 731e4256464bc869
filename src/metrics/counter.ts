import type { Block } from "../model/block.ts";
import { pieceAt, type TimeMap, toSession } from "../model/clock.ts";
import { type ClassPowers, type IntervalClasses, powersByClass, together } from "./powers.ts";
import { Edges, type Run, type RunContext, sweep } from "./runs.ts";
import { type OpenSplit, stepShift_j } from "./step-split.ts";
import { CompensatedSum } from "./sum.ts";

/** Times closer than this are one: far below any sample distance, far above the rounding of session seconds. */
const SAME_TIME_S = 1e-9;

/** What accumulates, read at ascending instants of session time; element i belongs to instant i. */
export interface CounterReadings {
  readonly instants: Float64Array;
  /** Energy since the first sample, joules, as a compensated sum. */
  readonly energy_j: Float64Array;
  readonly energyLow_j: Float64Array;
  /** Time covered by samples since the first one, seconds. */
  readonly covered_s: Float64Array;
  /** Samples so far. */
  readonly samples: Float64Array;
  /** Sum of squared differences of neighbours, W²; empty for integrating samplers, between whose samples nothing is unseen. */
  readonly roughness_w2: Float64Array;
  /** The same of samples two apart. */
  readonly roughness2_w2: Float64Array;
  /** Length of the stretch without samples that the instant lies in; 0 among samples, Infinity outside of the trace. */
  readonly gap_s: Float64Array;
  /** Largest sample between instant i and the next. */
  readonly peak_w: Float64Array;
  /**
   * What to add to a reading if power steps exactly at the instant: the sample that holds it is then split by the powers
   * of its neighbours, not by time alone. 0 where the neighbours do not look like two sides of a step.
   */
  readonly stepShift_j: Float64Array;
  /** Powers seen in each class of interval. Only gaps ask for them, so it takes another sweep when somebody does. */
  readonly classes: readonly ClassPowers[];
  /** Powers seen anywhere. */
  readonly anywhere: ClassPowers;
  /** Class of an instant of session time; an index into `classes`. */
  readonly classAt: (at_s: number) => number;
  /** Stretches without samples, in order of time, the ones before the first sample and after the last included. */
  readonly gaps: readonly (readonly [number, number])[];
  /** True where samples are instants: what happens between them is not in them, and ripple folds into slow swings. */
  readonly isPointwise: boolean;
  /** Mean distance of samples, seconds; NaN without samples. */
  readonly step_s: number;
  readonly start_s: number;
  readonly end_s: number;
}

/**
 * Sweeps once over the blocks of a measurand and reads its energy counter at the given instants.
 *
 * Energy is a counter that is read twice: window energies are differences of readings, so tokens add up to their
 * decode and nothing is counted twice. Inside a sample energy grows linearly (`integrating`, `averaged`) or with
 * linear power (`point`, the trapezoidal rule). Memory does not depend on the number of samples.
 *
 * @param blocks gives the same blocks every time
 * @param instants ascending, without duplicates
 */
export function readCounter(
  blocks: () => Iterable<Block>,
  context: RunContext,
  instants: Float64Array,
  classes: IntervalClasses,
): CounterReadings {
  const counter = new Counter(instants);
  sweep(blocks(), context, (run, map) => counter.add(run, map));
  let powers: readonly ClassPowers[] | undefined;
  let anywhere: ClassPowers | undefined;
  return {
    ...counter.finish(),
    classAt: (at_s) => classes.of[lastAtOrBefore(instants, at_s)] ?? 0,
    get classes() {
      powers ??= powersByClass(blocks(), context, instants, classes);
      return powers;
    },
    get anywhere() {
      anywhere ??= together(this.classes);
      return anywhere;
    },
  };
}

class Counter {
  readonly #at: Float64Array;
  readonly #energy_j: Float64Array;
  readonly #energyLow_j: Float64Array;
  readonly #covered_s: Float64Array;
  readonly #samples: Float64Array;
  /** Empty until samples come between which something is unseen: most instruments have none. */
  #roughness_w2 = new Float64Array(0);
  #roughness2_w2 = new Float64Array(0);
  readonly #gap_s: Float64Array;
  readonly #peak_w: Float64Array;
  readonly #stepShift_j: Float64Array;
  /** Instants inside the newest sample: the one after it is needed to split it. */
  #open: OpenSplit[] = [];
  #lastMean_w = Number.NaN;
  #next = 0;
  readonly #sum = new CompensatedSum();
  #covered = 0;
  #count = 0;
  #roughness = 0;
  #roughness2 = 0;
  #start_s = Number.NaN;
  #end_s = Number.NEGATIVE_INFINITY;
  #previous_w = Number.NaN;
  #beforePrevious_w = Number.NaN;
  readonly #gaps: (readonly [number, number])[] = [];
  #isPointwise = false;

  constructor(at: Float64Array) {
    this.#at = at;
    this.#energy_j = new Float64Array(at.length);
    this.#energyLow_j = new Float64Array(at.length);
    this.#covered_s = new Float64Array(at.length);
    this.#samples = new Float64Array(at.length);
    this.#gap_s = new Float64Array(at.length);
    this.#peak_w = new Float64Array(at.length).fill(Number.NEGATIVE_INFINITY);
    this.#stepShift_j = new Float64Array(at.length);
  }

  add(run: Run, map: TimeMap): void {
    const start_s = toSession(map, run.startTick);
    const edges = new Edges(run, pieceAt(map, run.startTick).rate_hz);
    const end_s = start_s + edges.at(edges.count);
    if (!run.isWhole && this.#roughness_w2.length === 0) {
      this.#roughness_w2 = new Float64Array(this.#at.length);
      this.#roughness2_w2 = new Float64Array(this.#at.length);
    }
    this.#begin(start_s);
    if (run.point_w) this.#isPointwise = true;
    this.#split(run.mean_w[0]!);
    let k = 0;
    // An instant at the very end belongs to what follows: the next sample, or a gap, which it then touches.
    while (this.#next < this.#at.length && this.#at[this.#next]! < end_s - SAME_TIME_S) {
      const offset_s = Math.max(0, this.#at[this.#next]! - start_s);
      const inside = edges.indexOf(offset_s);
      this.#take(run, edges, k, inside);
      this.#readInside(run, edges, inside, offset_s);
      k = inside;
    }
    this.#take(run, edges, k, edges.count);
    this.#lastMean_w = run.mean_w[edges.count - 1]!;
    this.#end_s = end_s;
  }

  finish(): Omit<CounterReadings, "classes" | "classAt" | "anywhere"> {
    while (this.#next < this.#at.length)
      this.#store(this.#sum, this.#covered, this.#count, this.#at[this.#next]! - this.#end_s < SAME_TIME_S ? 0 : Number.POSITIVE_INFINITY);
    return {
      instants: this.#at,
      energy_j: this.#energy_j,
      energyLow_j: this.#energyLow_j,
      covered_s: this.#covered_s,
      samples: this.#samples,
      roughness_w2: this.#roughness_w2,
      roughness2_w2: this.#roughness2_w2,
      gap_s: this.#gap_s,
      peak_w: this.#peak_w,
      stepShift_j: this.#stepShift_j,
      isPointwise: this.#isPointwise,
      gaps: [...this.#gaps, [this.#end_s, Number.POSITIVE_INFINITY]],
      step_s: this.#covered / this.#count,
      start_s: this.#start_s,
      end_s: this.#end_s,
    };
  }

  /** Reads the instants before the run: they lie in the gap between the last run and this one. */
  #begin(start_s: number): void {
    const first = Number.isNaN(this.#start_s);
    const gap_s = first ? Number.POSITIVE_INFINITY : start_s - this.#end_s;
    const isGap = gap_s > SAME_TIME_S;
    if (first) this.#start_s = start_s;
    if (isGap) this.#gaps.push([this.#end_s, start_s]);
    if (isGap) {
      this.#previous_w = this.#beforePrevious_w = this.#lastMean_w = Number.NaN;
      this.#open = [];
    }
    while (this.#next < this.#at.length && this.#at[this.#next]! < start_s - SAME_TIME_S)
      this.#store(this.#sum, this.#covered, this.#count, isGap ? gap_s : 0);
    // An edge exactly where a gap ends touches the gap.
    if (isGap && !first && this.#next < this.#at.length && this.#at[this.#next]! < start_s + SAME_TIME_S)
      this.#store(this.#sum, this.#covered, this.#count, gap_s);
  }

  #store(energy: CompensatedSum, covered_s: number, samples: number, gap_s: number): void {
    const i = this.#next++;
    this.#energy_j[i] = energy.high;
    this.#energyLow_j[i] = energy.low;
    this.#covered_s[i] = covered_s;
    this.#samples[i] = samples;
    this.#roughness_w2[i] = this.#roughness;
    this.#roughness2_w2[i] = this.#roughness2;
    this.#gap_s[i] = gap_s;
  }

  /** Reads one instant inside interval k, of which all earlier ones have been taken. */
  #readInside(run: Run, edges: Edges, k: number, offset_s: number): void {
    const length_s = edges.at(k + 1) - edges.at(k);
    const share = Math.min(1, (offset_s - edges.at(k)) / length_s);
    const mean_w = run.mean_w[k]!;
    const left_w = run.point_w?.[k] ?? mean_w;
    const right_w = run.point_w?.[k + 1] ?? mean_w;
    const before = this.#next - 1;
    if (share > 0 && before >= 0 && mean_w > this.#peak_w[before]!) this.#peak_w[before] = mean_w;
    const part_j = length_s * (left_w * share + 0.5 * (right_w - left_w) * share * share);
    if (run.isWhole && share > 0) {
      this.#open.push({ at: this.#next, share, length_s, mean_w, before_w: run.mean_w[k - 1] ?? this.#lastMean_w });
      if (k + 1 < edges.count) this.#split(run.mean_w[k + 1]!);
    }
    this.#store(this.#sum.plus(part_j), this.#covered + share * length_s, this.#count + share, 0);
  }

  /** The sample after the instants still open is known. */
  #split(after_w: number): void {
    for (const open of this.#open) this.#stepShift_j[open.at] = stepShift_j(open, after_w);
    this.#open = [];
  }

  /** Takes intervals [from, to), which belong to what follows the last instant read. */
  #take({ mean_w, isWhole }: Run, edges: Edges, from: number, to: number): void {
    if (to <= from) return;
    let sum_w = 0;
    let peak_w = Number.NEGATIVE_INFINITY;
    for (let k = from; k < to; k++) {
      const p = mean_w[k]!;
      sum_w += p;
      if (p > peak_w) peak_w = p;
    }
    const { uniform_s } = edges;
    // Of listed edges each has its own length; of uniform ones only the first may differ.
    const first_j = uniform_s !== undefined && from === 0 ? mean_w[0]! * (edges.at(1) - uniform_s) : 0;
    this.#sum.add(uniform_s === undefined ? weighted(mean_w, edges, from, to) : sum_w * uniform_s + first_j);
    this.#covered += edges.at(to) - edges.at(from);
    this.#count += to - from;
    if (!isWhole) this.#compareNeighbours(mean_w, from, to);
    const before = this.#next - 1;
    if (before >= 0 && peak_w > this.#peak_w[before]!) this.#peak_w[before] = peak_w;
  }

  #compareNeighbours(mean_w: Float64Array, from: number, to: number): void {
    let previous_w = Number.isNaN(this.#previous_w) ? mean_w[from]! : this.#previous_w;
    let beforePrevious_w = Number.isNaN(this.#beforePrevious_w) ? previous_w : this.#beforePrevious_w;
    let [roughness_w2, roughness2_w2] = [0, 0];
    for (let k = from; k < to; k++) {
      const power_w = mean_w[k]!;
      roughness_w2 += (power_w - previous_w) ** 2;
      roughness2_w2 += (power_w - beforePrevious_w) ** 2;
      beforePrevious_w = previous_w;
      previous_w = power_w;
    }
    this.#roughness += roughness_w2;
    this.#roughness2 += roughness2_w2;
    this.#previous_w = previous_w;
    this.#beforePrevious_w = beforePrevious_w;
  }
}

/** Energy of the intervals [from, to) with each its own length, joules. */
function weighted(mean_w: Float64Array, edges: Edges, from: number, to: number): number {
  let energy_j = 0;
  for (let k = from; k < to; k++) energy_j += mean_w[k]! * (edges.at(k + 1) - edges.at(k));
  return energy_j;
}

/** Index of the last instant not after `at_s`; -1 when there is none. */
function lastAtOrBefore(instants: Float64Array, at_s: number): number {
  let low = 0;
  let high = instants.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (instants[middle]! <= at_s) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
