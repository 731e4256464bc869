import type { GapBounds, Window } from "../model/measurement.ts";
import type { CounterReadings } from "./counter.ts";
import type { ClassPowers } from "./powers.ts";

/** One stretch of a window that no sample covers, and the powers that were seen in intervals of its class. */
interface Missing {
  readonly length_s: number;
  readonly like: ClassPowers;
}

/**
 * Standard uncertainty of the energy filled into a window's gaps, J: each was given the mean of its phase, and is off
 * by as much as a stretch of that length is from the mean of all.
 *
 * How much that is follows from the variance of the powers and from how fast they change. If resemblance dies away
 * linearly over a time L, which the differences of neighbours give as variance / (their half mean square) samples,
 * the mean over g < L has the variance times 1 - g / 3L, over g > L the variance times L / g (1 - L / 3g).
 */
export function gapUncertainty_j(window: Window, readings: CounterReadings): number {
  const squares = missingIn(window, readings).map(({ length_s, like }) => {
    const resemblance_s = like.near_w2 > 0 ? (readings.step_s * like.variance_w2) / like.near_w2 : Number.POSITIVE_INFINITY;
    const ratio = length_s / resemblance_s;
    return length_s ** 2 * like.variance_w2 * (ratio < 1 ? 1 - ratio / 3 : (1 - 1 / (3 * ratio)) / ratio);
  });
  return Math.sqrt(squares.reduce((sum, each) => sum + each, 0));
}

/** The window's energy with its gaps at the extremes: those seen anywhere, and those seen where each of them lies. */
export function gapBounds(window: Window, measured_j: number, readings: CounterReadings): GapBounds {
  const missing = missingIn(window, readings);
  const filled_j = (like: (each: Missing) => ClassPowers, end: 0 | 1): number =>
    missing.reduce((sum, each) => sum + each.length_s * like(each).extremes_w[end], measured_j);
  const between = (like: (each: Missing) => ClassPowers): [number, number] => [filled_j(like, 0), filled_j(like, 1)];
  return { session: between(() => readings.anywhere), same_phase: between((each) => each.like) };
}

/** The parts of gaps that lie in a window. A gap in a class of which nothing was seen could have been anything. */
function missingIn({ start_s, end_s }: Window, readings: CounterReadings): Missing[] {
  const { gaps } = readings;
  const missing: Missing[] = [];
  for (let k = firstEndingAfter(gaps, start_s); k < gaps.length && gaps[k]![0] < end_s; k++) {
    const from_s = Math.max(start_s, gaps[k]![0]);
    const to_s = Math.min(end_s, gaps[k]![1]);
    const own = readings.classes[readings.classAt((from_s + to_s) / 2)];
    missing.push({ length_s: to_s - from_s, like: own && own.total > 0 ? own : readings.anywhere });
  }
  return missing;
}

function firstEndingAfter(gaps: CounterReadings["gaps"], at_s: number): number {
  let low = 0;
  let high = gaps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (gaps[middle]![1] <= at_s) low = middle + 1;
    else high = middle;
  }
  return low;
}
