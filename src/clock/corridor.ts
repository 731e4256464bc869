import { type Hull, hullOf, type Point } from "./hull.ts";

/** A line between two clouds of points and the distance it keeps from both. */
export interface Corridor {
  readonly slope: number;
  /** Height of the line at x = 0. */
  readonly y: number;
  /** Seconds; negative when no line of an allowed slope separates the clouds. */
  readonly margin_s: number;
}

/** Narrows the slope to less than 1e-12 of the range searched. */
const GOLDEN_STEPS = 60;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** How often a point may be taken out because it alone narrows the corridor. */
const MOST_DROPPED = 12;

/**
 * The line that keeps the largest distance from points it must not lie under (`floor`) and points it must not lie
 * over (`ceiling`), slope within `±limit`.
 *
 * For a given slope only the hulls matter; the distance is a concave function of the slope, so golden section finds
 * its maximum. Method: the max-margin line of Y. Geng et al., "Exploiting a natural network effect for scalable,
 * fine-grained clock synchronization" (Huygens), NSDI 2018.
 */
export function widestCorridor(floor: readonly Point[], ceiling: readonly Point[], limit: number): Corridor {
  return between(hullOf("upper", floor), hullOf("lower", ceiling), limit);
}

function between(below: Hull, above: Hull, limit: number): Corridor {
  const margin = (slope: number) => (above.intercept(slope) - below.intercept(slope)) / 2;
  let low = -limit;
  let high = limit;
  let left = high - GOLDEN * (high - low);
  let right = low + GOLDEN * (high - low);
  let marginLeft = margin(left);
  let marginRight = margin(right);
  for (let step = 0; step < GOLDEN_STEPS; step++) {
    if (marginLeft < marginRight) {
      low = left;
      left = right;
      marginLeft = marginRight;
      right = low + GOLDEN * (high - low);
      marginRight = margin(right);
    } else {
      high = right;
      right = left;
      marginRight = marginLeft;
      left = high - GOLDEN * (high - low);
      marginLeft = margin(left);
    }
  }
  const slope = (low + high) / 2;
  return { slope, y: (above.intercept(slope) + below.intercept(slope)) / 2, margin_s: margin(slope) };
}

/** A corridor and the points that it was drawn between. */
export interface ClearedCorridor extends Corridor {
  readonly floor: readonly Point[];
  readonly ceiling: readonly Point[];
}

/**
 * {@link widestCorridor} with the points taken out that alone make it narrower than `expected_s`.
 *
 * A few false stamps always slip through a filter; one of them touches the line and is worth more than all the true
 * ones together. At most twelve go.
 */
export function widestCorridorWithout(
  floor: readonly Point[],
  ceiling: readonly Point[],
  limit: number,
  expected_s: number,
): ClearedCorridor {
  let lows = floor;
  let highs = ceiling;
  let best = widestCorridor(lows, highs, limit);
  for (let dropped = 0; dropped < MOST_DROPPED && best.margin_s < expected_s; dropped++) {
    const candidates = [
      ...touching(lows, best, "upper").map((p) => ({ lows: lows.filter((q) => q !== p), highs })),
      ...touching(highs, best, "lower").map((p) => ({ lows, highs: highs.filter((q) => q !== p) })),
    ].filter((c) => c.lows.length > 0 && c.highs.length > 0);
    const fits = candidates.map((c) => ({ ...c, corridor: widestCorridor(c.lows, c.highs, limit) }));
    const widest = fits.reduce((a, b) => (b.corridor.margin_s > a.corridor.margin_s ? b : a), fits[0]!);
    if (!widest) break;
    ({ lows, highs, corridor: best } = widest);
  }
  return { ...best, floor: lows, ceiling: highs };
}

/** The hull vertices next to where the line touches: at the best slope it usually touches two on one side. */
function touching(points: readonly Point[], { slope }: Corridor, side: "lower" | "upper"): Point[] {
  const hull = hullOf(side, points);
  const at = hull.touch(slope);
  return hull.points.slice(Math.max(0, at - 1), at + 2);
}
