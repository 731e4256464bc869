import type { Point } from "./hull.ts";

/** How far limits lie from a line, the closest first to be named: x, and the distance there. */
export interface Closest {
  /** Below the line, so that the true clock is at most so far beneath it. */
  readonly floors: readonly Point[];
  /** Above the line. */
  readonly ceilings: readonly Point[];
}

/** Steepest tilt looked at; a crystal is never so far off what its pings show. */
const STEEPEST = 1e-3;
/** Halvings: to 1e-15 of the steepest tilt, and as good a height. */
const HALVINGS = 50;

/**
 * How far from a line the clock may be at `x`, when it ran straight along it or at a tilt to it, and crossed no limit.
 *
 * A bound for parallels alone forgets that quick pings at one end say little of the other. The tilts that fit between
 * the limits are an interval around 0; at each, the highest and the lowest line are given by the nearest limit, and
 * their distance at `x` is a concave function of the tilt.
 *
 * @returns 0 when no line fits, because limits contradict the line itself
 */
export function reach({ floors, ceilings }: Closest, x: number): number {
  const up = (tilt: number): number => least(ceilings, (each) => each.y - tilt * (each.x - x));
  const down = (tilt: number): number => least(floors, (each) => each.y + tilt * (each.x - x));
  const room = (tilt: number): number => up(tilt) + down(tilt);
  if (!(room(0) >= 0)) return 0;
  const [from, to] = [lastWithin((tilt) => room(-tilt) >= 0), lastWithin((tilt) => room(tilt) >= 0)];
  return Math.max(highest(up, -from, to), highest(down, -from, to));
}

/** The largest tilt that still fits. */
function lastWithin(fits: (tilt: number) => boolean): number {
  if (fits(STEEPEST)) return STEEPEST;
  let [low, high] = [0, STEEPEST];
  for (let k = 0; k < HALVINGS; k++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Largest value of a concave function between two places, by thirds. */
function highest(of: (tilt: number) => number, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let k = 0; k < HALVINGS; k++) {
    const third = (high - low) / 3;
    if (of(low + third) < of(high - third)) low += third;
    else high -= third;
  }
  return Math.max(of(low), of(high));
}

function least(points: readonly Point[], of: (point: Point) => number): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (const each of points) smallest = Math.min(smallest, of(each));
  return smallest;
}
