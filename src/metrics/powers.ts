import type { Block } from "../model/block.ts";
import { pieceAt, toSession } from "../model/clock.ts";
import { Histogram } from "./histogram.ts";
import { Edges, type RunContext, sweep } from "./runs.ts";

/** Which class the interval after each instant belongs to; an index below `count`. */
export interface IntervalClasses {
  readonly of: Uint8Array;
  readonly count: number;
}

/**
 * Powers seen in each class, one histogram per class; class 0 also has what lies before the first instant.
 *
 * A sample in which an instant lies belongs to what follows that instant.
 */
export function powersByClass(
  blocks: Iterable<Block>,
  context: RunContext,
  instants: Float64Array,
  classes: IntervalClasses,
): readonly Histogram[] {
  const histograms = Array.from({ length: classes.count }, () => new Histogram());
  let next = 0;
  sweep(blocks, context, (run, map) => {
    const start_s = toSession(map, run.startTick);
    const edges = new Edges(run, pieceAt(map, run.startTick).rate_hz);
    for (let k = 0; k < edges.count; ) {
      while (next < instants.length && instants[next]! < start_s + edges.at(k + 1)) next++;
      const end = next < instants.length ? Math.max(k + 1, edges.indexOf(instants[next]! - start_s)) : edges.count;
      const histogram = histograms[next === 0 ? 0 : classes.of[next - 1]!]!;
      while (k < end) histogram.add(run.mean_w[k++]!);
    }
  });
  return histograms;
}
