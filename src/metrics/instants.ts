import type { Phase, Window } from "../model/measurement.ts";
import type { IntervalClasses } from "./powers.ts";

/** Classes of interval whose powers are kept apart, so that a gap in one is judged by its like; index 0 is "none of these". */
const CLASSES: readonly Phase[] = ["idle", "load", "prefill", "decode", "tail", "unit"];

/** The instants at which the energy counter must be read, and where each is found. */
export class Instants {
  readonly at: Float64Array;

  /** @param reach_s how far to either side of a window's edges the counter is read as well, to know the power step there */
  constructor(windows: readonly Window[], further: readonly number[], reach_s: number) {
    const wanted = new Float64Array(windows.length * 6 + further.length);
    let n = 0;
    const want = (edge: number): void => {
      wanted[n++] = edge - reach_s;
      wanted[n++] = edge;
      wanted[n++] = edge + reach_s;
    };
    let last_s = Number.NaN;
    for (const { start_s, end_s } of windows) {
      // Tokens follow one another: an edge that two of them share is wanted once.
      if (start_s !== last_s) want(start_s);
      want(end_s);
      last_s = end_s;
    }
    for (const each of further) wanted[n++] = each;
    this.at = withoutDuplicates(wanted.subarray(0, n).sort());
  }

  /** Index of an instant that was given to the constructor. */
  indexOf(instant: number): number {
    let low = 0;
    let high = this.at.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at[middle]! < instant) low = middle + 1;
      else high = middle;
    }
    if (this.at[low] !== instant) throw new RangeError(`the counter was not read at ${instant} s`);
    return low;
  }

  classes(windows: readonly Window[]): IntervalClasses {
    const of = new Uint8Array(this.at.length);
    for (const window of windows) {
      const painted = CLASSES.indexOf(window.phase) + 1;
      // A stage lies in what it is a part of, and is painted like that.
      if (painted > 0 && window.stage === undefined) of.fill(painted, this.indexOf(window.start_s), this.indexOf(window.end_s));
    }
    return { of, count: CLASSES.length + 1 };
  }
}

/** @param sorted is overwritten */
function withoutDuplicates(sorted: Float64Array): Float64Array {
  let n = 0;
  for (const each of sorted) if (n === 0 || each !== sorted[n - 1]) sorted[n++] = each;
  return sorted.slice(0, n);
}
