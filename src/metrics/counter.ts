import type { Block } from "../model/block.ts";
import { pieceAt, type TimeMap, toSession } from "../model/clock.ts";
import type { Measurand } from "../model/recording.ts";
import { Histogram } from "./histogram.ts";
import { Edges, type Run, runs } from "./runs.ts";
import { type CompensatedSum, plus } from "./sum.ts";

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
  /** Samples so far, and the sum of squared differences of neighbours, W². */
  readonly samples: Float64Array;
  readonly roughness_w2: Float64Array;
  /** Length of the stretch without samples that the instant lies in; 0 among samples, Infinity outside of the trace. */
  readonly gap_s: Float64Array;
  /** Largest sample between instant i and the next. */
  readonly peak_w: Float64Array;
  /** Powers seen in each class of interval; class 0 also has what lies before the first instant. */
  readonly classes: readonly Histogram[];
  /** Mean distance of samples, seconds; NaN without samples. */
  readonly step_s: number;
  readonly start_s: number;
  readonly end_s: number;
}

/** Which class the interval after each instant belongs to; an index below `count`. */
export interface IntervalClasses {
  readonly of: Uint8Array;
  readonly count: number;
}

/**
 * Sweeps once over the blocks of a measurand and reads its energy counter at the given instants.
 *
 * Energy is a counter that is read twice: window energies are differences of readings, so tokens add up to their
 * decode and nothing is counted twice. Inside a sample energy grows linearly (`integrating`, `averaged`) or with
 * linear power (`point`, the trapezoidal rule). Memory does not depend on the number of samples.
 *
 * @param instants ascending, without duplicates
 */
export function readCounter(
  blocks: Iterable<Block>,
  { measurand, maps }: { readonly measurand: Measurand; readonly maps: readonly TimeMap[] },
  instants: Float64Array,
  classes: IntervalClasses,
): CounterReadings {
  const sweep = new Sweep(instants, classes);
  for (const run of runs(blocks, measurand)) {
    const map = maps.find((each) => each.source === measurand.source && each.epoch === run.epoch);
    if (map) sweep.add(run, map);
  }
  return sweep.finish();
}

class Sweep {
  readonly #at: Float64Array;
  readonly #classes: IntervalClasses;
  readonly #histograms: Histogram[];
  readonly #energy_j: Float64Array;
  readonly #energyLow_j: Float64Array;
  readonly #covered_s: Float64Array;
  readonly #samples: Float64Array;
  readonly #roughness_w2: Float64Array;
  readonly #gap_s: Float64Array;
  readonly #peak_w: Float64Array;
  #next = 0;
  #sum: CompensatedSum = { high: 0, low: 0 };
  #covered = 0;
  #count = 0;
  #roughness = 0;
  #start_s = Number.NaN;
  #end_s = Number.NEGATIVE_INFINITY;
  #previous_w = Number.NaN;

  constructor(at: Float64Array, classes: IntervalClasses) {
    this.#at = at;
    this.#classes = classes;
    this.#histograms = Array.from({ length: classes.count }, () => new Histogram());
    this.#energy_j = new Float64Array(at.length);
    this.#energyLow_j = new Float64Array(at.length);
    this.#covered_s = new Float64Array(at.length);
    this.#samples = new Float64Array(at.length);
    this.#roughness_w2 = new Float64Array(at.length);
    this.#gap_s = new Float64Array(at.length);
    this.#peak_w = new Float64Array(at.length).fill(Number.NEGATIVE_INFINITY);
  }

  add(run: Run, map: TimeMap): void {
    const start_s = toSession(map, run.startTick);
    const edges = new Edges(run, pieceAt(map, run.startTick).rate_hz);
    const end_s = start_s + edges.at(edges.count);
    this.#begin(start_s);
    let k = 0;
    while (this.#next < this.#at.length && this.#at[this.#next]! < end_s) {
      const offset_s = Math.max(0, this.#at[this.#next]! - start_s);
      const inside = edges.indexOf(offset_s);
      this.#take(run, edges, k, inside);
      this.#readInside(run, edges, inside, offset_s);
      k = inside;
    }
    this.#take(run, edges, k, edges.count);
    this.#end_s = end_s;
  }

  finish(): CounterReadings {
    while (this.#next < this.#at.length)
      this.#store(this.#sum, this.#covered, this.#count, this.#at[this.#next]! - this.#end_s < SAME_TIME_S ? 0 : Number.POSITIVE_INFINITY);
    return {
      instants: this.#at,
      energy_j: this.#energy_j,
      energyLow_j: this.#energyLow_j,
      covered_s: this.#covered_s,
      samples: this.#samples,
      roughness_w2: this.#roughness_w2,
      gap_s: this.#gap_s,
      peak_w: this.#peak_w,
      classes: this.#histograms,
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
    if (isGap) this.#previous_w = Number.NaN;
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
    this.#store(plus(this.#sum, part_j), this.#covered + share * length_s, this.#count + share, 0);
  }

  /** Takes intervals [from, to), which belong to what follows the last instant read. */
  #take({ mean_w }: Run, edges: Edges, from: number, to: number): void {
    if (to <= from) return;
    const before = this.#next - 1;
    const histogram = this.#histograms[before < 0 ? 0 : this.#classes.of[before]!]!;
    const { uniform_s } = edges;
    let part = 0;
    let peak_w = Number.NEGATIVE_INFINITY;
    let roughness = 0;
    let previous_w = Number.isNaN(this.#previous_w) ? mean_w[from]! : this.#previous_w;
    for (let k = from; k < to; k++) {
      const p = mean_w[k]!;
      part += uniform_s === undefined ? p * (edges.at(k + 1) - edges.at(k)) : p;
      if (p > peak_w) peak_w = p;
      roughness += (p - previous_w) * (p - previous_w);
      previous_w = p;
      histogram.add(p);
    }
    // Of listed edges each has its own length; of uniform ones only the first may differ.
    const first_j = uniform_s !== undefined && from === 0 ? mean_w[0]! * (edges.at(1) - uniform_s) : 0;
    this.#sum = plus(this.#sum, uniform_s === undefined ? part : part * uniform_s + first_j);
    this.#covered += edges.at(to) - edges.at(from);
    this.#count += to - from;
    this.#roughness += roughness;
    this.#previous_w = previous_w;
    if (before >= 0 && peak_w > this.#peak_w[before]!) this.#peak_w[before] = peak_w;
  }
}
