/**
 * How a sample came about.
 *
 * `integrating`: the mean over its whole interval. `averaged`: the mean over a part of it, so what happens in the
 * rest is unseen. `point`: an instant. `cumulative`: a running total at an instant.
 */
export type Sampler = "integrating" | "point" | "averaged" | "cumulative";

/** What a column may hold, SI base units only; keyed `channel.quantity` in a block. */
export type Quantity = "current_a" | "voltage_v" | "power_w" | "energy_j" | "charge_c";

export type ColumnKey = `${string}.${Quantity}`;

/**
 * Consecutive samples from one source, column by column.
 *
 * For `integrating` and `averaged` samplers a tick is the **end** of the interval its sample stands for; the
 * interval starts at the tick before it, the first one at `startTick`. For `point` and `cumulative` a tick is the
 * instant, and `startTick` equals the first tick. A gap never sits inside a block: it ends one, and the samples
 * missing are the next block's `lostBefore` (0 when contiguous).
 */
export interface Block {
  readonly source: string;
  /** Counts the restarts of the source's clock; ticks of different epochs do not compare. */
  readonly epoch: number;
  readonly sampler: Sampler;
  readonly startTick: number;
  /** Ticks of the source's own clock: sample k at `first + k * step`, or listed one by one. */
  readonly ticks: { readonly first: number; readonly step: number } | Float64Array;
  readonly length: number;
  readonly lostBefore: number;
  readonly columns: Readonly<Record<ColumnKey, Float64Array>>;
}

/** Tick of sample k. */
export function tickAt(block: Block, k: number): number {
  const { ticks } = block;
  return ticks instanceof Float64Array ? ticks[k]! : ticks.first + k * ticks.step;
}

/** Tick at which the block ends: that of its last sample. */
export const endTick = (block: Block): number => tickAt(block, block.length - 1);

/**
 * Power of one channel, sample by sample, in watts.
 *
 * Uses the channel's `power_w` where the instrument gives it, else current times voltage; `undefined` when the
 * block has neither, which is not the same as zero.
 */
export function power(block: Block, channel: string): Float64Array | undefined {
  const given = block.columns[`${channel}.power_w`];
  if (given) return given;
  const current_a = block.columns[`${channel}.current_a`];
  const voltage_v = block.columns[`${channel}.voltage_v`];
  if (!current_a || !voltage_v) return undefined;
  const power_w = new Float64Array(block.length);
  for (let k = 0; k < power_w.length; k++) power_w[k] = current_a[k]! * voltage_v[k]!;
  return power_w;
}
