import { type Block, type ColumnKey, power, tickAt } from "../model/block.ts";
import type { TimeMap } from "../model/clock.ts";
import type { Measurand } from "../model/recording.ts";

/**
 * Adjacent intervals of one source with their mean powers.
 *
 * Interval k ends at edge k + 1, the first begins at `startTick` (edge 0). `point_w` holds the powers at the edges
 * where instants were sampled, so that power inside an interval is linear; otherwise it is constant.
 */
export interface Run {
  readonly epoch: number;
  readonly startTick: number;
  readonly ticks: Block["ticks"];
  readonly mean_w: Float64Array;
  readonly point_w?: Float64Array;
  /** True when every sample is the mean over all of its interval. */
  readonly isWhole: boolean;
}

/** Whose samples are wanted, and the clocks they may be on. */
export interface RunContext {
  readonly measurand: Measurand;
  readonly maps: readonly TimeMap[];
  /** What is summed up: power, which gives energy, unless current is wanted, which gives charge. */
  readonly quantity?: "power_w" | "current_a";
}

/** Hands over every run with the map of its clock; a run whose clock has none has no place in session time. */
export function sweep(blocks: Iterable<Block>, { measurand, maps, quantity }: RunContext, take: (run: Run, map: TimeMap) => void): void {
  let map: TimeMap | undefined;
  for (const run of runs(blocks, measurand, quantity)) {
    if (map?.epoch !== run.epoch) map = maps.find((each) => each.source === measurand.source && each.epoch === run.epoch);
    if (map) take(run, map);
  }
}

/**
 * The blocks of a measurand as runs of intervals.
 *
 * Point samples become the intervals between neighbours, also across blocks, unless samples were lost there or the
 * distance exceeds `longestStep`. Blocks without the channel are left out, not read as zero.
 */
function* runs(blocks: Iterable<Block>, measurand: Measurand, quantity: "power_w" | "current_a" = "power_w"): Generator<Run> {
  const given: ColumnKey = `${measurand.channel}.${quantity}`;
  let before: { epoch: number; tick: number; power_w: number } | undefined;
  for (const block of blocks) {
    if (block.source !== measurand.source || block.length === 0) continue;
    const power_w = block.columns[given] ?? (quantity === "power_w" ? power(block, measurand.channel) : undefined);
    if (!power_w) continue;
    if (block.sampler !== "point") {
      const { epoch, startTick, ticks, sampler } = block;
      yield { epoch, startTick, ticks, mean_w: power_w, isWhole: sampler === "integrating" };
      continue;
    }
    const joined = before?.epoch === block.epoch && block.lostBefore === 0 ? before : undefined;
    yield* betweenPoints(block, power_w, joined, measurand.longestStep ?? Number.POSITIVE_INFINITY);
    before = { epoch: block.epoch, tick: tickAt(block, block.length - 1), power_w: power_w[block.length - 1]! };
  }
}

function* betweenPoints(
  block: Block,
  power_w: Float64Array,
  joined: { tick: number; power_w: number } | undefined,
  longestStep: number,
): Generator<Run> {
  const ticks = joined ? [joined.tick] : [];
  const points = joined ? [joined.power_w] : [];
  for (let k = 0; k < block.length; k++) {
    const tick = tickAt(block, k);
    if (ticks.length > 0 && tick - ticks.at(-1)! > longestStep) {
      if (ticks.length > 1) yield trapezoids(block.epoch, ticks, points);
      ticks.length = 0;
      points.length = 0;
    }
    ticks.push(tick);
    points.push(power_w[k]!);
  }
  if (ticks.length > 1) yield trapezoids(block.epoch, ticks, points);
}

function trapezoids(epoch: number, ticks: readonly number[], points: readonly number[]): Run {
  return {
    epoch,
    startTick: ticks[0]!,
    ticks: Float64Array.from(ticks.slice(1)),
    mean_w: Float64Array.from(points.slice(1), (next, k) => (points[k]! + next) / 2),
    point_w: Float64Array.from(points),
    isWhole: false,
  };
}

/** Edges of a run in seconds after its start: from ticks and rate, never from differences of mapped stamps. */
export class Edges {
  readonly count: number;
  /** Length of every interval where all are alike but for the first; undefined when they are listed. */
  readonly uniform_s: number | undefined;
  readonly #offsets_s: Float64Array | undefined;
  readonly #first_s: number;

  constructor(run: Run, rate_hz: number) {
    this.count = run.mean_w.length;
    const { ticks, startTick } = run;
    if (ticks instanceof Float64Array) {
      this.#offsets_s = ticks.map((tick) => (tick - startTick) / rate_hz);
      this.#first_s = this.#offsets_s[0] ?? 0;
    } else {
      this.uniform_s = ticks.step / rate_hz;
      this.#first_s = (ticks.first - startTick) / rate_hz;
    }
  }

  at(k: number): number {
    if (k === 0) return 0;
    return this.#offsets_s ? this.#offsets_s[k - 1]! : this.#first_s + (k - 1) * this.uniform_s!;
  }

  /** Index of the interval that holds `offset_s`, clamped to the run. */
  indexOf(offset_s: number): number {
    if (this.uniform_s !== undefined) {
      const guess = Math.floor((offset_s - this.#first_s) / this.uniform_s) + 1;
      const k = Math.min(this.count - 1, Math.max(0, guess));
      return k > 0 && this.at(k) > offset_s ? k - 1 : k;
    }
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.at(middle) <= offset_s) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
