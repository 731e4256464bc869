import { power } from "../model/block.ts";
import { pieceAt } from "../model/clock.ts";
import type { PowerRecording, Recording } from "../model/recording.ts";
import { timingOf } from "./energies.ts";

/** What the samples of a recording are like. */
export interface Sampling {
  /** Distance of samples. */
  readonly step_s: number;
  /** Mean; NaN where the source gives no voltage. */
  readonly voltage_v: number;
  readonly integrating: boolean;
  readonly hasCurrent: boolean;
}

/** From the first block that has the channel and a place in time. */
export function samplingOf({ measurand, maps, blocks }: PowerRecording): Sampling {
  for (const block of blocks()) {
    if (block.source !== measurand.source || block.length < 2 || !power(block, measurand.channel)) continue;
    const map = maps.find((each) => each.source === block.source && each.epoch === block.epoch);
    if (!map) continue;
    const { ticks, length } = block;
    const step = ticks instanceof Float64Array ? (ticks[length - 1]! - ticks[0]!) / (length - 1) : ticks.step;
    const voltage_v = block.columns[`${measurand.channel}.voltage_v`];
    return {
      step_s: step / pieceAt(map, block.startTick).rate_hz,
      voltage_v: voltage_v ? voltage_v.reduce((sum, each) => sum + each, 0) / length : Number.NaN,
      integrating: block.sampler === "integrating",
      hasCurrent: block.columns[`${measurand.channel}.current_a`] !== undefined,
    };
  }
  return { step_s: 0, voltage_v: Number.NaN, integrating: true, hasCurrent: false };
}

export function timingFunction({ measurand, maps, events }: PowerRecording): (t: number) => number {
  const eventSources = new Set(events.map((each) => each.source));
  const power = maps.filter((each) => each.source === measurand.source);
  const event = maps.filter((each) => each.source !== measurand.source && eventSources.has(each.source));
  return (t) => Math.hypot(timingOf(power, t), timingOf(event, t));
}

/** Two independent ends of the session fix a clock's rate: its relative uncertainty is theirs over the time between. */
export function rateUncertaintyOf({ maps, events }: Recording, duration_s: number): number {
  const sources = new Set(events.map((each) => each.source));
  const u_s = Math.max(0, ...maps.filter((each) => sources.has(each.source)).flatMap((each) => each.pieces.map((piece) => piece.u_s)));
  return duration_s > 0 ? (Math.SQRT2 * u_s) / duration_s : 0;
}
