import type { Block } from "../model/block.ts";
import { pieceAt, toSession } from "../model/clock.ts";
import { Histogram } from "./histogram.ts";
import { Edges, type RunContext, sweep } from "./runs.ts";

/** Which class the interval after each instant belongs to; an index below `count`. */
export interface IntervalClasses {
  readonly of: Uint8Array;
  readonly count: number;
}

/** Closer than this a run follows the one before it: far below any sample distance. */
const SAME_TIME_S = 1e-9;

const EXTREME = 0.001;

/** Powers seen in one class of interval, and how they follow each other. */
export class ClassPowers {
  readonly histogram = new Histogram();
  #sum_w = 0;
  #squares_w2 = 0;
  #differences_w2 = 0;
  #previous_w = Number.NaN;
  #extremes_w: readonly [number, number] | undefined;

  get total(): number {
    return this.histogram.total;
  }

  /** Variance of the powers, W². */
  get variance_w2(): number {
    const mean_w = this.#sum_w / this.total;
    return this.total > 0 ? Math.max(0, this.#squares_w2 / this.total - mean_w * mean_w) : 0;
  }

  /** Half the mean squared difference of neighbours, W²: the variance, were they independent. */
  get near_w2(): number {
    return this.total > 0 ? this.#differences_w2 / (2 * this.total) : 0;
  }

  /** What only one power in a thousand is below, and above. Asked for by every gap, so kept: ask when all is added. */
  get extremes_w(): readonly [number, number] {
    this.#extremes_w ??= [this.histogram.quantile(EXTREME), this.histogram.quantile(1 - EXTREME)];
    return this.#extremes_w;
  }

  add(power_w: number): void {
    this.histogram.add(power_w);
    this.#sum_w += power_w;
    this.#squares_w2 += power_w * power_w;
    const step_w = power_w - this.#previous_w;
    if (!Number.isNaN(step_w)) this.#differences_w2 += step_w * step_w;
    this.#previous_w = power_w;
  }

  /** Adds all that another class has seen. */
  take(other: ClassPowers): void {
    this.histogram.take(other.histogram);
    this.#sum_w += other.#sum_w;
    this.#squares_w2 += other.#squares_w2;
    this.#differences_w2 += other.#differences_w2;
  }

  /** What follows does not follow what came before. */
  interrupt(): void {
    this.#previous_w = Number.NaN;
  }
}

/**
 * Powers seen in each class; class 0 also has what lies before the first instant.
 *
 * A sample in which an instant lies belongs to what follows that instant.
 */
export function powersByClass(
  blocks: Iterable<Block>,
  context: RunContext,
  instants: Float64Array,
  classes: IntervalClasses,
): readonly ClassPowers[] {
  const all = Array.from({ length: classes.count }, () => new ClassPowers());
  let next = 0;
  let last: ClassPowers | undefined;
  let end_s = Number.NaN;
  sweep(blocks, context, (run, map) => {
    const start_s = toSession(map, run.startTick);
    const edges = new Edges(run, pieceAt(map, run.startTick).rate_hz);
    if (start_s - end_s > SAME_TIME_S) last = undefined;
    end_s = start_s + edges.at(edges.count);
    for (let k = 0; k < edges.count; ) {
      while (next < instants.length && instants[next]! < start_s + edges.at(k + 1)) next++;
      const end = next < instants.length ? Math.max(k + 1, edges.indexOf(instants[next]! - start_s)) : edges.count;
      const powers = all[next === 0 ? 0 : classes.of[next - 1]!]!;
      if (powers !== last) powers.interrupt();
      last = powers;
      while (k < end) powers.add(run.mean_w[k++]!);
    }
  });
  return all;
}

/** All classes as one. */
export function together(classes: readonly ClassPowers[]): ClassPowers {
  const all = new ClassPowers();
  for (const each of classes) all.take(each);
  return all;
}
