import type { Point } from "./hull.ts";
import { type Sight, type Smoothed, smoothWalk } from "./random-walk.ts";
import { reach } from "./reach.ts";

/** What one ping says: the clock is nowhere below its floor, nowhere above its ceiling. */
export interface Limits {
  readonly floor: Point;
  readonly ceiling: Point;
}

/** The clock at one node, the mean of a second of pings, and what the pings of its neighbourhood leave open there. */
export interface Node extends Smoothed {
  /** Smallest distance to a floor and to a ceiling, seconds; negative where the pings contradict the line. */
  readonly above_s: number;
  readonly below_s: number;
  /** Furthest that a clock which ran straight through the neighbourhood may be from the line here. */
  readonly reach_s: number;
  /** Shortest round trip of the neighbourhood. */
  readonly trip_s: number;
}

/**
 * How fast the rate may wander, s / s^1.5: by 1.5 ppm in five minutes, as a crystal's does that warms up by a few ppm
 * in as long.
 */
const WANDER = 8.5e-8;

/** A crystal that warms up changes its rate by at most so much, and takes so long at least. */
const WARM_UP = 5e-6;
const QUICKEST_WARM_UP_S = 150;

/**
 * How far a clock may have wandered, at most, from the chord between two nodes `dx` seconds apart: a rate that changes
 * by r halfway leaves the chord by r dx / 4.
 */
export const wandered_s = (dx: number): number => (WARM_UP * Math.min(1, dx / QUICKEST_WARM_UP_S) * dx) / 4;

/** Pings of so long are one node, and their neighbourhood reaches this far to either side, further at the ends. */
const NODE_S = 1;
const NEIGHBOURHOOD_S = 300;

/** The edge of a cloud is at the second closest limit and as wide as from there to the tenth; what is false must be few. */
const EDGE = 1;
const WIDTH = 9;
const NARROWEST_S = 5e-6;

/** The nearest limits make the width as well, and say twice what they should know: from simulated links. */
const SHARE = 0.5;

/** The edge is taken wide first, so that a bad start finds its way, and narrows by half in every pass. */
const WIDENED = 8;

/** The line stays when no node moves further, seconds; it does after ten to twenty passes if the start was good. */
const SETTLED_S = 0.2e-6;
const MOST_PASSES = 40;

/**
 * The line of a slowly wandering rate that keeps its distance from two clouds of limits: from every limit that is near,
 * not from the nearest alone.
 *
 * A straight corridor rests on three points, and is as far off at its ends as they happen to lie. Here every limit
 * pushes with exp(-distance / width), and the line rests where the pushes from both sides balance. The width is how far
 * apart the nearest limits of the denser cloud lie: a wide one would take longer queues on one way for a shorter way.
 * A constant difference between the two ways shifts the line by half of it, as it shifts the corridor. The pushes,
 * scaled to weigh as much as they scatter, are put to {@link smoothWalk} as if they were sights, again and again until
 * the line stays: Newton's method for the most probable line.
 *
 * @param limits in order of x, at least one
 * @param start height of a line that is roughly right
 */
export function softCorridor(limits: readonly Limits[], start: (x: number) => number): Node[] {
  const nodes = gather(limits);
  let line: Smoothed[] = nodes.map(({ x }) => ({ x, y: start(x), slope: (start(x + 1) - start(x - 1)) / 2, u_s: 0 }));
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const widened = Math.max(1, WIDENED * 0.5 ** pass);
    const before = line;
    line = smoothWalk(sights(nodes, line, widened), WANDER);
    if (widened === 1 && line.every(({ y }, k) => Math.abs(y - before[k]!.y) < SETTLED_S)) break;
  }
  const closest = nodes.map((node, k) => closestTo(line[k]!, node));
  return nodes.map((node, k) => {
    const near = closest.slice(node.from, node.to);
    const [floors, ceilings] = [near.map((each) => each.floor), near.map((each) => each.ceiling)];
    return {
      ...line[k]!,
      above_s: Math.min(...floors.map(({ y }) => y)),
      below_s: Math.min(...ceilings.map(({ y }) => y)),
      reach_s: reach({ floors, ceilings }, node.x),
      trip_s: Math.min(...nodes.slice(node.from, node.to).map((each) => each.trip_s)),
    };
  });
}

/** Of a node's limits those nearest to the line: where they are, and how far from it. */
function closestTo(line: Smoothed, node: Gathered): Limits {
  const { above, below } = distancesFrom(line, node);
  const nearest = (distances: readonly number[], xOf: (limits: Limits) => number): Point => {
    const y = distances.reduce((a, b) => Math.min(a, b));
    return { x: xOf(node.limits[distances.indexOf(y)]!), y };
  };
  return { floor: nearest(above, ({ floor }) => floor.x), ceiling: nearest(below, ({ ceiling }) => ceiling.x) };
}

/** Pings of a second, and which nodes `[from, to)` are its neighbourhood. */
interface Gathered {
  readonly x: number;
  readonly limits: readonly Limits[];
  readonly trip_s: number;
  readonly from: number;
  readonly to: number;
}

function gather(limits: readonly Limits[]): Gathered[] {
  const groups: Limits[][] = [];
  for (const each of limits) {
    const group = groups.at(-1);
    if (group && each.floor.x - group[0]!.floor.x <= NODE_S) group.push(each);
    else groups.push([each]);
  }
  const xs = groups.map((group) => group.reduce((sum, { floor, ceiling }) => sum + floor.x + ceiling.x, 0) / (2 * group.length));
  const [first, last] = [xs[0]!, xs.at(-1)!];
  let [from, to] = [0, 0];
  return groups.map((group, k) => {
    const left = Math.max(first, Math.min(xs[k]! - NEIGHBOURHOOD_S / 2, last - NEIGHBOURHOOD_S));
    while (xs[from]! < left) from++;
    while (to < xs.length && xs[to]! <= left + NEIGHBOURHOOD_S) to++;
    return { x: xs[k]!, limits: group, trip_s: Math.min(...group.map(({ floor, ceiling }) => ceiling.y - floor.y)), from, to };
  });
}

interface Distances {
  readonly above: readonly number[];
  readonly below: readonly number[];
}

function distancesFrom({ x, y, slope }: Smoothed, { limits }: Gathered): Distances {
  return {
    above: limits.map(({ floor }) => y + slope * (floor.x - x) - floor.y),
    below: limits.map(({ ceiling }) => ceiling.y - y - slope * (ceiling.x - x)),
  };
}

/** Pushes of one node: their balance upwards, their sum, and the sum of their squares; all in units of the strongest. */
interface Push {
  readonly up: number;
  readonly sum: number;
  readonly squares: number;
}

/** What the pushes on a line amount to at every node: where it would rest there, and how sure that is. */
function sights(nodes: readonly Gathered[], line: readonly Smoothed[], widened: number): Sight[] {
  const distances = nodes.map((node, k) => distancesFrom(line[k]!, node));
  const sorted = distances.map(({ above, below }) => ({ above: above.toSorted(ascending), below: below.toSorted(ascending) }));
  const edges = nodes.map(({ from, to }) => edgeOf(sorted.slice(from, to), widened));
  const pushes = nodes.map((_, k) => pushOf(distances[k]!, edges[k]!));
  return nodes.map(({ x, from, to }, k) => {
    const near = pushes.slice(from, to);
    const scale = near.reduce((sum, push) => sum + push.sum, 0) / near.reduce((sum, push) => sum + push.squares, 0);
    const { up, sum } = pushes[k]!;
    const { width_s } = edges[k]!;
    const { y } = line[k]!;
    // Far from every edge nothing pushes.
    return sum === 0
      ? { x, y, variance: Number.POSITIVE_INFINITY }
      : { x, y: y + (width_s * up) / sum, variance: width_s ** 2 / (SHARE * scale * sum) };
  });
}

interface Edge {
  readonly at_s: number;
  readonly width_s: number;
}

/** Where the clouds' edges are, in the mean of both, and how closely the limits lie at the denser one. */
function edgeOf(near: readonly Distances[], widened: number): Edge {
  const [above, below] = [nearestOf(near.map((each) => each.above)), nearestOf(near.map((each) => each.below))];
  const last = above.length - 1;
  const edge = Math.min(EDGE, last);
  const width_s = Math.min(above[last]! - above[edge]!, below[last]! - below[edge]!);
  return { at_s: (above[edge]! + below[edge]!) / 2, width_s: widened * Math.max(NARROWEST_S, width_s) };
}

const ascending = (a: number, b: number): number => a - b;

/** The {@link WIDTH} + 1 smallest of all, in order; fewer if there are not as many. @param near each in order */
function nearestOf(near: readonly (readonly number[])[]): number[] {
  const smallest: number[] = [];
  for (const distances of near) {
    for (const distance of distances) {
      if (smallest.length > WIDTH && distance >= smallest[WIDTH]!) break;
      let at = smallest.length;
      while (at > 0 && smallest[at - 1]! > distance) at--;
      smallest.splice(at, 0, distance);
      if (smallest.length > WIDTH + 1) smallest.pop();
    }
  }
  return smallest;
}

function pushOf({ above, below }: Distances, { at_s, width_s }: Edge): Push {
  let [up, sum, squares] = [0, 0, 0];
  const add = (distance_s: number, side: 1 | -1): void => {
    // A false stamp on the wrong side pushes no more than one at the edge does, times e.
    const push = Math.exp(-Math.max(-1, (distance_s - at_s) / width_s));
    up += side * push;
    sum += push;
    squares += push * push;
  };
  for (const distance_s of above) add(distance_s, 1);
  for (const distance_s of below) add(distance_s, -1);
  return { up, sum, squares };
}
