import { describe, expect, test } from "vitest";
import { widestCorridor } from "../../src/clock/corridor.ts";
import { type Limits, softCorridor, wandered_s } from "../../src/clock/soft-corridor.ts";
import { exponential, seeded } from "../../src/simulate/random.ts";
import { mean, SEEDS } from "./trials.ts";

const MS = 1e-3;
const DURATION_S = 600;

interface Ways {
  /** Shortest time of either way and mean of what comes to it, ms; that twice where `queues` is 2. */
  readonly there: readonly [number, number];
  readonly back: readonly [number, number];
  readonly queues?: number;
}

/** 16 limits every ten seconds around a clock whose height is `y`. */
function around(y: (x: number) => number, { there, back, queues = 1 }: Ways, seed: number): Limits[] {
  const random = seeded(seed);
  const delay_s = ([base_ms, mean_ms]: readonly [number, number]): number => {
    let delay_ms = base_ms;
    for (let queue = 0; queue < queues; queue++) delay_ms += exponential(random, mean_ms);
    return delay_ms * MS;
  };
  return Array.from({ length: (DURATION_S / 10) * 16 }, (_, k) => {
    const x = Math.floor(k / 16) * 10 + (k % 16) / 100;
    return { floor: { x, y: y(x) - delay_s(there) }, ceiling: { x, y: y(x) + delay_s(back) } };
  });
}

const flat = () => 0;
const worst = (values: readonly number[]): number => Math.max(...values.map(Math.abs));
const rms = (values: readonly number[]): number => Math.sqrt(mean(values.map((value) => value ** 2)));
const loaded: Ways = { there: [0.3, 4], back: [0.3, 4], queues: 2 };

test("one node per second of limits, with what its neighbourhood leaves open", () => {
  const nodes = softCorridor(around(flat, { there: [0.3, 0], back: [0.5, 0] }, 1), flat);
  expect(nodes).toHaveLength(DURATION_S / 10);
  for (const { y, slope, above_s, below_s, trip_s } of nodes) {
    expect(y).toBeCloseTo(0.1 * MS, 7);
    expect(slope).toBeCloseTo(0, 9);
    expect(above_s).toBeCloseTo(0.4 * MS, 7);
    expect(below_s).toBeCloseTo(0.4 * MS, 7);
    expect(trip_s).toBeCloseTo(0.8 * MS, 9);
  }
});

test("a constant difference between the two ways shifts it by half of that, whatever the queues", () => {
  for (const seed of SEEDS) {
    const even = softCorridor(around(flat, loaded, seed), flat);
    const uneven = softCorridor(around(flat, { ...loaded, there: [1.5, 4] }, seed), flat);
    expect(worst(uneven.map(({ y }, k) => y + 0.6 * MS - even[k]!.y))).toBeLessThan(0.001 * MS);
  }
});

test("where no ping is quick its ends are nearer to the clock by a quarter than those of a straight corridor", () => {
  const ends = SEEDS.map((seed) => {
    const limits = around(flat, loaded, seed);
    const half = limits.slice(0, limits.length / 2);
    const straight = widestCorridor(
      half.map(({ floor }) => floor),
      half.map(({ ceiling }) => ceiling),
      500e-6,
    );
    return { straight: straight.y, soft: softCorridor(limits, flat)[0]!.y };
  });
  const [straight_s, soft_s] = [rms(ends.map(({ straight }) => straight)), rms(ends.map(({ soft }) => soft))];
  expect(soft_s).toBeLessThan(0.75 * straight_s);
});

test("its own uncertainty holds", () => {
  const inside = SEEDS.flatMap((seed) =>
    softCorridor(around(flat, loaded, seed), flat).map(({ y, u_s }) => Number(Math.abs(y) <= 2 * u_s)),
  );
  expect(mean(inside)).toBeGreaterThan(0.95);
});

test("a rate that changes by 3 ppm is followed, from the start of a straight line", () => {
  const bent = (x: number): number => 3e-6 * Math.max(0, x - 300);
  const straight = (x: number): number => 1.5e-6 * x - 0.2 * MS;
  for (const seed of SEEDS) {
    const nodes = softCorridor(around(bent, { there: [0.05, 0.1], back: [0.05, 0.1] }, seed), straight);
    expect(worst(nodes.map(({ x, y }) => y - bent(x)))).toBeLessThan(0.05 * MS);
  }
});

test("long queues on one way are not taken for a longer way", () => {
  const offs = SEEDS.map((seed) =>
    worst(softCorridor(around(flat, { there: [0.3, 1], back: [0.3, 10], queues: 1 }, seed), flat).map(({ y }) => y)),
  );
  expect(worst(offs)).toBeLessThan(0.3 * MS);
});

describe("a false limit", () => {
  const limits = around(flat, loaded, 1);
  const straight = softCorridor(limits, flat);
  const spoilt = limits.map((each, k) => (k === 500 ? { ...each, floor: { ...each.floor, y: 5 * MS } } : each));
  const nodes = softCorridor(spoilt, flat);

  test("on the wrong side moves the line by little", () => {
    expect(worst(nodes.map(({ y }, k) => y - straight[k]!.y))).toBeLessThan(0.15 * MS);
  });

  test("shows in the distance to it", () => {
    const at = nodes.find(({ x }) => x > limits[500]!.floor.x - 1)!;
    expect(at.above_s).toBeLessThan(-4 * MS);
    expect(nodes[0]!.above_s).toBeGreaterThan(0);
  });
});

test("between two nodes the rate may have wandered, by 5 ppm at most", () => {
  expect(wandered_s(0)).toBe(0);
  expect(wandered_s(10)).toBeLessThan(0.001 * MS);
  expect(wandered_s(600)).toBeCloseTo((5e-6 * 600) / 4, 12);
  expect(wandered_s(1200) / wandered_s(600)).toBeCloseTo(2, 9);
});
