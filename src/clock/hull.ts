/** A point of a clock comparison: device time against how far session time is from it, both in seconds. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Convex hull of one side of a cloud of points, grown one point at a time.
 *
 * Points must come in order of x; each costs amortised O(1), and only the hull is kept. The lower hull of n noisy
 * points has O(log n) vertices. Method: A. M. Andrew, "Another efficient algorithm for convex hulls in two
 * dimensions" (monotone chain), 1979.
 */
export class Hull {
  readonly points: Point[] = [];
  readonly #side: 1 | -1;

  /** @param side which hull: `lower` bounds the cloud from below, `upper` from above */
  constructor(side: "lower" | "upper") {
    this.#side = side === "lower" ? 1 : -1;
  }

  push(point: Point): void {
    const { points } = this;
    const last = points.at(-1);
    if (last && point.x < last.x) throw new RangeError(`hull: x runs back from ${last.x} to ${point.x}`);
    if (last && point.x === last.x) {
      if (this.#side * (point.y - last.y) >= 0) return;
      points.pop();
    }
    while (points.length >= 2 && this.#side * turn(points.at(-2)!, points.at(-1)!, point) <= 0) points.pop();
    points.push(point);
  }

  /** Index of the vertex that a line of this slope touches. O(log n), because the hull's slopes are in order. */
  touch(slope: number): number {
    const { points } = this;
    let low = 0;
    let high = points.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const a = points[middle]!;
      const b = points[middle + 1]!;
      if (this.#side * (b.y - a.y - slope * (b.x - a.x)) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Height at x = 0 of the line of this slope that touches the hull. The hull must not be empty. */
  intercept(slope: number): number {
    const { x, y } = this.points[this.touch(slope)]!;
    return y - slope * x;
  }

  /** Slope of the edge above or below `x`: that of the touching line which is closest to the cloud there. */
  slopeAt(x: number): number {
    const { points } = this;
    if (points.length < 2) return 0;
    let right = points.findIndex((p) => p.x > x);
    if (right < 0) right = points.length - 1;
    if (right === 0) right = 1;
    const a = points[right - 1]!;
    const b = points[right]!;
    return (b.y - a.y) / (b.x - a.x);
  }
}

/** Hull of points in any order, O(n log n). */
export function hullOf(side: "lower" | "upper", points: readonly Point[]): Hull {
  const hull = new Hull(side);
  for (const point of points.toSorted((a, b) => a.x - b.x)) hull.push(point);
  return hull;
}

/** Positive when the way from a over b to c turns left. */
const turn = (a: Point, b: Point, c: Point): number => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
