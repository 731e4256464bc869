import { type Block, power, tickAt } from "../../src/model/block.ts";
import { type TimeMap, toSession } from "../../src/model/clock.ts";
import type { PowerRecording } from "../../src/model/recording.ts";

/** The map of one source. */
export function mapOf({ maps }: PowerRecording, source: string): TimeMap {
  return maps.find((each) => each.source === source)!;
}

/**
 * Joules and covered seconds of the samples between two session times, straight from the blocks.
 *
 * Written without the product's prefix sums, so that the two can disagree. Edges inside a sample take its part.
 */
export function integrate(recording: PowerRecording, from_s: number, to_s: number): { energy_j: number; covered_s: number } {
  const { source, channel } = recording.measurand;
  const map = mapOf(recording, source);
  let energy_j = 0;
  let covered_s = 0;
  for (const block of recording.blocks()) {
    const power_w = power(block, channel)!;
    let start_s: number = toSession(map, block.startTick);
    for (let k = 0; k < block.length; k++) {
      const end_s = toSession(map, tickAt(block, k));
      const inside_s = Math.min(end_s, to_s) - Math.max(start_s, from_s);
      if (inside_s > 0) {
        energy_j += power_w[k]! * inside_s;
        covered_s += inside_s;
      }
      start_s = end_s;
    }
  }
  return { energy_j, covered_s };
}

/** Session times of the two ends of each unit, by its request. */
export function unitWindows(recording: PowerRecording): ReadonlyMap<string, readonly [number, number]> {
  const windows = new Map<string, [number, number]>();
  for (const event of recording.events) {
    const at_s = toSession(mapOf(recording, event.source), event.tick);
    if (event.type === "unit_start") windows.set(event.request, [at_s, Number.NaN]);
    if (event.type === "unit_end") windows.get(event.request)![1] = at_s;
  }
  return windows;
}

/** Every block of a recording, its arrays as plain lists, for comparing. */
export function listBlocks(recording: PowerRecording): readonly unknown[] {
  return Array.from(recording.blocks(), (block: Block) => ({
    startTick: block.startTick,
    ticks: Array.from({ length: block.length }, (_, k) => tickAt(block, k)),
    lostBefore: block.lostBefore,
    columns: Object.fromEntries(Object.entries(block.columns).map(([key, values]) => [key, [...values]])),
  }));
}
