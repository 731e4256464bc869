import { type Block, type ColumnKey, type Sampler, tickAt } from "../model/block.ts";
import { pieceAt, type TimeMap, toSession } from "../model/clock.ts";

/**
 * Samples of one source and epoch with their session times, in order.
 *
 * Sample k stands for `(times_s[k] - lengths_s[k], times_s[k]]`; a length of 0 is an instant that nothing joins to the
 * one before it. Of point samplers the length is the distance to the sample before.
 */
export interface Batch {
  readonly source: string;
  readonly epoch: number;
  readonly sampler: Sampler;
  readonly times_s: Float64Array;
  readonly lengths_s: Float64Array;
  readonly columns: Readonly<Record<ColumnKey, Float64Array>>;
}

/** Samples handed on at once: 13 s at 5 kHz, half a megabyte a column. */
const BATCH_SAMPLES = 65_536;

/** How far the end of one sample may be from the start of the next, were it none: rounding of session seconds, far below any sample. */
export const sameTime_s = (at_s: number): number => 1e-9 + Math.abs(at_s) * 1e-15;

/**
 * Puts the blocks of one source into batches, each of one epoch and with the same columns throughout.
 *
 * Times are those the energies are computed with: of a block only the start is mapped, all else follows from ticks and rate.
 */
export class Batcher {
  readonly #source: string;
  /** Longest distance between two `point` samples, in ticks, that is still no gap. */
  readonly #longestStep: number;
  #open: Open | undefined;
  /** Last instant of a point sampler, to which the next one may be joined. */
  #before: { readonly epoch: number; readonly tick: number } | undefined;

  constructor(source: string, longestStep = Number.POSITIVE_INFINITY) {
    this.#source = source;
    this.#longestStep = longestStep;
  }

  /** @returns the batches that are full */
  add(block: Block, map: TimeMap): Batch[] {
    const done: Batch[] = [];
    const start_s = toSession(map, block.startTick);
    const { rate_hz } = pieceAt(map, block.startTick);
    const isPoint = block.sampler === "point";
    const joined = isPoint && this.#before?.epoch === block.epoch && block.lostBefore === 0 ? this.#before.tick : Number.NaN;
    let previous = isPoint ? joined : block.startTick;
    for (let k = 0; k < block.length; ) {
      const open = this.#openFor(block, done);
      for (; k < block.length && open.length < BATCH_SAMPLES; k++) {
        const tick = tickAt(block, k);
        const isJoined = !isPoint || tick - previous <= this.#longestStep;
        open.times_s[open.length] = start_s + (tick - block.startTick) / rate_hz;
        open.lengths_s[open.length] = isJoined ? (tick - previous) / rate_hz : 0;
        for (const { key, values } of open.columns) values[open.length] = block.columns[key]![k]!;
        open.length++;
        previous = tick;
      }
    }
    if (isPoint && block.length > 0) this.#before = { epoch: block.epoch, tick: previous };
    return done;
  }

  /** What has not filled a batch yet. */
  rest(): Batch[] {
    const batch = this.#open && this.#open.length > 0 ? [batchOf(this.#source, this.#open)] : [];
    this.#open = undefined;
    return batch;
  }

  #openFor({ epoch, sampler, columns }: Block, done: Batch[]): Open {
    const keys = Object.keys(columns).sort() as ColumnKey[];
    const open = this.#open;
    const fits = open?.epoch === epoch && open.sampler === sampler && open.columns.map(({ key }) => key).join() === keys.join();
    if (open && fits && open.length < BATCH_SAMPLES) return open;
    done.push(...this.rest());
    const fresh = {
      epoch,
      sampler,
      length: 0,
      times_s: new Float64Array(BATCH_SAMPLES),
      lengths_s: new Float64Array(BATCH_SAMPLES),
      columns: keys.map((key) => ({ key, values: new Float64Array(BATCH_SAMPLES) })),
    };
    this.#open = fresh;
    return fresh;
  }
}

interface Open {
  readonly epoch: number;
  readonly sampler: Sampler;
  length: number;
  readonly times_s: Float64Array;
  readonly lengths_s: Float64Array;
  readonly columns: readonly { readonly key: ColumnKey; readonly values: Float64Array }[];
}

/** Arrays of their own, of the right length, so that they can be handed to another thread without a copy. */
function batchOf(source: string, { epoch, sampler, length, times_s, lengths_s, columns }: Open): Batch {
  return {
    source,
    epoch,
    sampler,
    times_s: times_s.slice(0, length),
    lengths_s: lengths_s.slice(0, length),
    columns: Object.fromEntries(columns.map(({ key, values }) => [key, values.slice(0, length)])),
  };
}
