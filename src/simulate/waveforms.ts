import type { Plant } from "./plant.ts";
import { type Shape, shapeEnergy_j, shapePower_w } from "./shape.ts";

/** A shape in force over [from_s, to_s); its own time starts at `from_s`. */
export interface Stretch {
  readonly from_s: number;
  readonly to_s: number;
  readonly shape: Shape;
}

/** Constant power over [from_s, to_s). */
export interface Step {
  readonly from_s: number;
  readonly to_s: number;
  readonly power_w: number;
}

export interface WaveformOptions {
  /** Power where no stretch is in force. Default 0. */
  readonly rest_w?: number;
  /** Default 5. */
  readonly supply_v?: number;
}

/**
 * A plant made of stretches in order of time, with rest between them; power and energy are exact.
 *
 * @throws RangeError when stretches overlap or run backwards.
 */
export function waveform(stretches: readonly Stretch[], { rest_w = 0, supply_v = 5 }: WaveformOptions = {}): Plant {
  const parts = withRests(stretches, rest_w);
  const starts = Float64Array.from(parts, (part) => part.from_s);
  const before_j = prefixes(parts);
  const indexAt = (t: number): number => lastAtOrBefore(starts, t);
  const energyWithin = (part: Part, from: number, to: number): number =>
    shapeEnergy_j(part.shape, from - part.origin_s, to - part.origin_s);
  const energy_j = (from: number, to: number): number => {
    if (to < from) return -energy_j(to, from);
    const i = indexAt(from);
    const j = indexAt(to);
    const first = parts[i]!;
    if (i === j) return energyWithin(first, from, to);
    const last = parts[j]!;
    return energyWithin(first, from, first.to_s) + (before_j[j]! - before_j[i + 1]!) + energyWithin(last, last.from_s, to);
  };
  const meanPower_w = (from_s: number, step_s: number, means_w: Float64Array): void => {
    const edge = (k: number): number => from_s + k * step_s;
    for (let k = 0, i = indexAt(from_s); k < means_w.length; ) {
      while (parts[i]!.to_s <= edge(k)) i++;
      const part = parts[i]!;
      const whole = Math.min(means_w.length, wholeSteps(part.to_s, from_s, step_s));
      if (part.shape.kind === "const" && whole > k) means_w.fill(part.shape.power_w, k, whole);
      else for (let n = k; n < whole; n++) means_w[n] = energyWithin(part, edge(n), edge(n + 1)) / step_s;
      k = Math.max(k, whole);
      if (k < means_w.length) means_w[k] = energy_j(edge(k), edge(k + 1)) / step_s;
      k++;
    }
  };
  return {
    supply_v,
    power_w: (t) => {
      const part = parts[indexAt(t)]!;
      return shapePower_w(part.shape, t - part.origin_s);
    },
    energy_j,
    meanPower_w,
  };
}

/** Two levels in turn, high first: what a decode looks like token by token. */
export interface SquarePattern {
  readonly from_s: number;
  readonly count: number;
  readonly high_w: number;
  readonly high_s: number;
  readonly low_w: number;
  readonly low_s: number;
}

export function squareSteps({ from_s, count, high_w, high_s, low_w, low_s }: SquarePattern): Step[] {
  return Array.from({ length: count }, (_, k) => {
    const start_s = from_s + k * (high_s + low_s);
    const middle_s = start_s + high_s;
    return [
      { from_s: start_s, to_s: middle_s, power_w: high_w },
      { from_s: middle_s, to_s: from_s + (k + 1) * (high_s + low_s), power_w: low_w },
    ];
  }).flat();
}

export const fromSteps = (steps: readonly Step[]): Stretch[] =>
  steps.map(({ from_s, to_s, power_w }) => ({ from_s, to_s, shape: { kind: "const", power_w } }));

/**
 * The same steps seen through one pole of time constant `tau_s`, as an analogue front end shows them.
 *
 * Behind a pole a step is an exponential, so this too is exact. The pole has settled at `rest_w` before the first step.
 */
export function throughPole(steps: readonly Step[], tau_s: number, rest_w: number): Stretch[] {
  let output_w = rest_w;
  const passed: Stretch[] = [];
  const pass = (from_s: number, to_s: number, power_w: number): void => {
    if (to_s <= from_s) return;
    const step_w = output_w - power_w;
    passed.push({ from_s, to_s, shape: { kind: "exp", final_w: power_w, step_w, tau_s } });
    output_w = power_w + step_w * Math.exp(-(to_s - from_s) / tau_s);
  };
  for (const { from_s, to_s, power_w } of steps) {
    pass(passed.at(-1)?.to_s ?? from_s, from_s, rest_w);
    pass(from_s, to_s, power_w);
  }
  const end_s = passed.at(-1)?.to_s;
  if (end_s !== undefined) pass(end_s, Number.POSITIVE_INFINITY, rest_w);
  return passed;
}

/** A stretch whose shape counts from `origin_s`, because the first part of all begins in the infinite past. */
interface Part extends Stretch {
  readonly origin_s: number;
}

function withRests(stretches: readonly Stretch[], rest_w: number): Part[] {
  const rest: Shape = { kind: "const", power_w: rest_w };
  const parts: Part[] = [];
  let free_s = Number.NEGATIVE_INFINITY;
  for (const { from_s, to_s, shape } of stretches) {
    if (!(Number.isFinite(from_s) && from_s >= free_s && to_s >= from_s))
      throw new RangeError(`stretch [${from_s}, ${to_s}) does not follow ${free_s}`);
    if (from_s > free_s) parts.push({ from_s: free_s, to_s: from_s, origin_s: from_s, shape: rest });
    if (to_s > from_s) parts.push({ from_s, to_s, origin_s: from_s, shape });
    free_s = to_s;
  }
  const origin_s = Number.isFinite(free_s) ? free_s : 0;
  if (free_s < Number.POSITIVE_INFINITY) parts.push({ from_s: free_s, to_s: Number.POSITIVE_INFINITY, origin_s, shape: rest });
  return parts;
}

/** Energy from the end of the first part, which has no beginning, to the start of each; summed after Neumaier (1974). */
function prefixes(parts: readonly Part[]): Float64Array {
  const before_j = new Float64Array(parts.length);
  let sum = 0;
  let carry = 0;
  for (let i = 1; i < parts.length; i++) {
    before_j[i] = sum + carry;
    const { from_s, to_s, origin_s, shape } = parts[i]!;
    if (i === parts.length - 1) break;
    const energy_j = shapeEnergy_j(shape, from_s - origin_s, to_s - origin_s);
    const next = sum + energy_j;
    carry += Math.abs(sum) >= Math.abs(energy_j) ? sum - next + energy_j : energy_j - next + sum;
    sum = next;
  }
  return before_j;
}

/** How many whole steps from `from_s` on end at `end_s` or before, judged as the step's edge is computed. */
function wholeSteps(end_s: number, from_s: number, step_s: number): number {
  if (end_s === Number.POSITIVE_INFINITY) return Number.MAX_SAFE_INTEGER;
  const steps = Math.floor((end_s - from_s) / step_s);
  return from_s + steps * step_s <= end_s ? steps : steps - 1;
}

function lastAtOrBefore(starts: Float64Array, t: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= t) low = middle;
    else high = middle - 1;
  }
  return low;
}
