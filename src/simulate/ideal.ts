import type { Block, ColumnKey } from "../model/block.ts";
import { type Oscillator, oscillator } from "./oscillator.ts";
import { meanPower, type Plant } from "./plant.ts";

export interface IdealOptions {
  readonly source: string;
  /** Nominal: samples per second of the instrument's own clock. */
  readonly rate_hz: number;
  readonly sampler: "integrating" | "point" | "averaged";
  /** For `averaged`: the length at the end of each interval that is seen, seconds. */
  readonly averaged_s?: number;
  /** The instrument's clock; perfect by default. Tick n is when it shows n / rate_hz. */
  readonly clock?: Oscillator;
  /** Default `main`. */
  readonly channel?: string;
  /** Samples per block; by default 20 ms of them. */
  readonly blockLength?: number;
}

/**
 * The ideal instrument: takes the plant's power in float64, without noise, offset or gain error.
 *
 * Blocks are made one by one as they are asked for, in virtual time, and hold `<channel>.power_w`. An integrating
 * or averaged instrument covers [from_s, to_s]; a point sampler samples every tick in it, both ends included.
 */
export function* idealBlocks(plant: Plant, options: IdealOptions, from_s: number, to_s: number): Generator<Block> {
  const { source, rate_hz, sampler, clock = oscillator(), channel = "main" } = options;
  const column: ColumnKey = `${channel}.power_w`;
  const blockLength = options.blockLength ?? Math.max(1, Math.round(rate_hz * 0.02));
  const take = samplerOf(plant, options);
  const trueAt = (tick: number): number => clock.true_s(tick / rate_hz);
  const firstEdge = Math.ceil(clock.reading_s(from_s) * rate_hz - ROUNDING) + 0; // + 0: never -0
  const lastTick = Math.floor(clock.reading_s(to_s) * rate_hz + ROUNDING);
  const firstTick = sampler === "point" ? firstEdge : firstEdge + 1;
  for (let tick = firstTick; tick <= lastTick; tick += blockLength) {
    const length = Math.min(blockLength, lastTick - tick + 1);
    const startTick = sampler === "point" ? tick : tick - 1;
    const power_w = new Float64Array(length);
    // Inside a block the clock is taken as even; its warm-up bends by less than 1e-10 s in 50 ms.
    const start_s = trueAt(startTick);
    take(start_s, (trueAt(startTick + length) - start_s) / length, power_w);
    yield { source, epoch: 0, sampler, startTick, ticks: { first: tick, step: 1 }, length, lostBefore: 0, columns: { [column]: power_w } };
  }
}

/** Keeps an edge that falls on a tick but for rounding, in ticks. */
const ROUNDING = 1e-6;

type Take = (start_s: number, step_s: number, power_w: Float64Array) => void;

function samplerOf(plant: Plant, { sampler, averaged_s }: IdealOptions): Take {
  if (sampler === "integrating") return (start_s, step_s, power_w) => meanPower(plant, start_s, step_s, power_w);
  if (sampler === "point") {
    return (start_s, step_s, power_w) => {
      for (let k = 0; k < power_w.length; k++) power_w[k] = plant.power_w(start_s + k * step_s);
    };
  }
  if (averaged_s === undefined) throw new RangeError("an averaged sampler needs averaged_s");
  return (start_s, step_s, power_w) => {
    for (let k = 0; k < power_w.length; k++) {
      const end_s = start_s + (k + 1) * step_s;
      power_w[k] = plant.energy_j(end_s - averaged_s, end_s) / averaged_s;
    }
  };
}
