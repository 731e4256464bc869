import type { LoadPulse } from "../model/alignment.ts";
import { type PowerBins, response } from "./pulse-response.ts";
import { doubts, inCommon } from "./pulse-scatter.ts";

/** The train as it fits power best: this late, seen through this pole. */
export interface Pole {
  readonly shift_s: number;
  readonly tau_s: number;
  /** Standard uncertainty of the shift from the scatter of the power about the fit. */
  readonly u_s: number;
}

/** What is searched; base and step of the power follow from it in one go. */
interface Candidate {
  readonly shift_s: number;
  readonly tau_s: number;
}

/** First look: a search by shape comes late by up to the time constant, hardly early. */
const FIRST_SHIFTS_S = steps(-0.1, 0.015, 5e-3);
const FIRST_TAUS_S = [5e-4, 2e-3, 4e-3, 8e-3, 16e-3, 32e-3, 64e-3, 128e-3];
/** Second look about the best of the first, so that what follows begins in the right valley. */
const SECOND_SHIFTS_S = steps(-4e-3, 4e-3, 5e-4);
const SECOND_FACTORS = [0.5, 0.7, 1, 1.4, 2, 3, 5];
const LOOK_BIN_S = 5e-3;

/** Resolution of the fit; finer bins are put together. */
const BIN_S = 1e-3;
const LEAST_TAU_S = 5e-5;
const MOST_TAU_S = 0.3;
/** The way to the minimum ends with a step this small, or after so many; parts of each are tried. */
const LAST_STEP_S = 1e-5;
const MOST_STEPS = 12;
const PARTS = [0.3, 0.05];
/** How often the fit is made again with less trust in stretches that something else disturbed. */
const REPEATS = 2;

/** Least squares of `base + step × response` over shift and time constant. @param about_s the shift, roughly */
export function fitPole(pulses: readonly LoadPulse[], bins: PowerBins, about_s: number): Pole {
  const coarse = new Fit(pulses, merged(bins, LOOK_BIN_S));
  const fine = new Fit(pulses, merged(bins, BIN_S));
  const look = (shifts_s: readonly number[], taus_s: readonly number[], from_s: number): Candidate => {
    const candidates = shifts_s.flatMap((by_s) => taus_s.map((tau_s) => ({ shift_s: from_s + by_s, tau_s })));
    return lowest(candidates, (each) => coarse.misfit(each));
  };
  const first = look(FIRST_SHIFTS_S, FIRST_TAUS_S, about_s);
  const second = SECOND_FACTORS.map((factor) => factor * first.tau_s);
  let best = fine.descend(look(SECOND_SHIFTS_S, second, first.shift_s));
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    fine.doubt(best);
    best = fine.descend(best);
  }
  return { ...best, u_s: fine.uncertainty_s(best) };
}

function steps(from: number, to: number, by: number): number[] {
  return Array.from({ length: Math.round((to - from) / by) + 1 }, (_, k) => from + k * by);
}

function lowest(candidates: readonly Candidate[], cost: (candidate: Candidate) => number): Candidate {
  const costs = candidates.map(cost);
  return candidates[costs.indexOf(Math.min(...costs))]!;
}

/** The power moves with each of the two alone: derivative less what base, step and the other could make up for. */
interface Slopes {
  readonly byShift: Float64Array;
  readonly byTau: Float64Array;
  /** The shift's, where the time constant is not let go. */
  readonly byShiftOnly: Float64Array;
}

/** One stretch of power and how far the train is from it. All columns are scaled by the trust in each bin. */
class Fit {
  readonly #pulses: readonly LoadPulse[];
  readonly #bins: PowerBins;
  /** Square roots of the weights. */
  readonly #trust: Float64Array;
  /** Power about its mean. */
  #power_w: Float64Array;

  constructor(pulses: readonly LoadPulse[], bins: PowerBins) {
    this.#pulses = pulses;
    this.#bins = bins;
    this.#trust = new Float64Array(bins.mean_w.length).fill(1);
    this.#power_w = this.#aboutMean(bins.mean_w);
  }

  /** Sum of squares that the best base and the best step leave, W². */
  misfit(at: Candidate): number {
    const { rest_w } = this.#solve(this.#shape(at));
    return dot(rest_w, rest_w);
  }

  /** Gauss–Newton steps from `first` to the minimum, halved where they overshoot. */
  descend(first: Candidate): Candidate {
    let best = first;
    let least = this.misfit(best);
    for (let count = 0; count < MOST_STEPS; count++) {
      const { rest_w, step_w } = this.#solve(this.#shape(best));
      const { byShift, byShiftOnly, byTau } = this.#slopes(best);
      const [both_s, tau_s, only_s] = [byShift, byTau, byShiftOnly].map((column) => along(rest_w, column) / step_w) as [
        number,
        number,
        number,
      ];
      // A pole too short to be seen leaves the shift to be found alone.
      const whole = [moved(best, both_s, tau_s), moved(best, only_s, 0)];
      const parts = PARTS.flatMap((part) => [moved(best, part * both_s, part * tau_s), moved(best, part * only_s, 0)]);
      let next = lowest(whole, (each) => this.misfit(each));
      if (this.misfit(next) >= least) next = lowest(parts, (each) => this.misfit(each));
      const squares = this.misfit(next);
      if (squares >= least) break;
      const went_s = Math.abs(next.shift_s - best.shift_s);
      [best, least] = [next, squares];
      if (went_s < LAST_STEP_S) break;
    }
    return best;
  }

  /** Takes trust from stretches in which the power differs from the fit together. */
  doubt(at: Candidate): void {
    this.#trust.fill(1);
    this.#power_w = this.#aboutMean(this.#bins.mean_w);
    const { rest_w } = this.#solve(this.#shape(at));
    this.#trust.set(doubts(rest_w, this.#bins));
    this.#power_w = this.#aboutMean(this.#bins.mean_w);
  }

  /** The shift's share of the covariance of the fit; scatter that neighbours have in common counts as often as it comes again. */
  uncertainty_s(at: Candidate): number {
    const { rest_w, step_w } = this.#solve(this.#shape(at));
    const { byShift } = this.#slopes(at);
    const variance_w2 = dot(rest_w, rest_w) / Math.max(1, dot(this.#trust, this.#trust) - 4);
    return Math.sqrt((variance_w2 * inCommon(rest_w, this.#bins)) / dot(byShift, byShift)) / step_w;
  }

  #shape({ shift_s, tau_s }: Candidate): Float64Array {
    return this.#trusted(response(this.#pulses, this.#bins, shift_s, tau_s));
  }

  #aboutMean(values: Float64Array): Float64Array {
    return without(this.#trusted(values), [this.#trust]);
  }

  #trusted(values: Float64Array): Float64Array {
    const scaled = new Float64Array(values.length);
    for (let k = 0; k < scaled.length; k++) scaled[k] = values[k]! * this.#trust[k]!;
    return scaled;
  }

  #solve(shape: Float64Array): { readonly step_w: number; readonly rest_w: Float64Array } {
    const alone = without(shape, [this.#trust]);
    const step_w = Math.max(LEAST_STEP_W, along(this.#power_w, alone));
    return { step_w, rest_w: minus(this.#power_w, alone, step_w) };
  }

  #slopes(at: Candidate): Slopes {
    const d_s = 1e-4;
    const linear = [this.#trust, without(this.#shape(at), [this.#trust])];
    const slope = (low: Candidate, high: Candidate): Float64Array =>
      without(difference(this.#shape(high), this.#shape(low), high.shift_s - low.shift_s + high.tau_s - low.tau_s), linear);
    const byShiftOnly = slope(moved(at, -d_s, 0), moved(at, d_s, 0));
    const tauOnly = slope(moved(at, 0, -d_s), moved(at, 0, d_s));
    return { byShift: without(byShiftOnly, [tauOnly]), byTau: without(tauOnly, [byShiftOnly]), byShiftOnly };
  }
}

/** A train does not lower power; and a step of nothing would have no place. */
const LEAST_STEP_W = 1e-9;

const moved = ({ shift_s, tau_s }: Candidate, byShift_s: number, byTau_s: number): Candidate => ({
  shift_s: shift_s + byShift_s,
  tau_s: Math.max(LEAST_TAU_S, Math.min(MOST_TAU_S, tau_s + byTau_s)),
});

/** Neighbouring bins put together until each is at least `least_s` long. */
function merged({ start_s, end_s, mean_w }: PowerBins, least_s: number): PowerBins {
  const [starts, ends, means]: [number[], number[], number[]] = [[], [], []];
  let energy_j = 0;
  let covered_s = 0;
  for (let k = 0; k < start_s.length; k++) {
    const length_s = end_s[k]! - start_s[k]!;
    if (covered_s === 0) starts.push(start_s[k]!);
    covered_s += length_s;
    energy_j += mean_w[k]! * length_s;
    const isLast = k === start_s.length - 1 || start_s[k + 1]! - end_s[k]! > ROUNDING_S;
    if (covered_s < least_s - ROUNDING_S && !isLast) continue;
    ends.push(end_s[k]!);
    means.push(energy_j / covered_s);
    energy_j = covered_s = 0;
  }
  return { start_s: Float64Array.from(starts), end_s: Float64Array.from(ends), mean_w: Float64Array.from(means) };
}

const ROUNDING_S = 1e-7;

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** How much of `column` is in `values`, by least squares. */
function along(values: Float64Array, column: Float64Array): number {
  const square = dot(column, column);
  return square > 0 ? dot(values, column) / square : 0;
}

function minus(a: Float64Array, b: Float64Array, share: number): Float64Array {
  const rest = new Float64Array(a.length);
  for (let k = 0; k < rest.length; k++) rest[k] = a[k]! - share * b[k]!;
  return rest;
}

const difference = (a: Float64Array, b: Float64Array, by: number): Float64Array => minus(a, b, 1).map((value) => value / by);

/** What of `column` no combination of the mutually perpendicular `others` makes. */
const without = (column: Float64Array, others: readonly Float64Array[]): Float64Array =>
  others.reduce((rest, other) => minus(rest, other, along(rest, other)), column);
