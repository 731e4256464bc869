import { expect, test } from "vitest";
import { widestCorridor, widestCorridorWithout } from "../../src/clock/corridor.ts";
import { Hull, hullOf, type Point } from "../../src/clock/hull.ts";
import { normal, seeded } from "../../src/simulate/random.ts";

const cloud = (n: number): Point[] => {
  const random = seeded(n);
  return Array.from({ length: n }, (_, x) => ({ x, y: normal(random) }));
};

test.each(["lower", "upper"] as const)("a line that touches the %s hull touches the cloud", (side) => {
  const points = cloud(500);
  const hull = hullOf(side, points);
  for (const slope of [-10, -0.1, -1e-3, 0, 1e-3, 0.1, 10]) {
    const heights = points.map((p) => p.y - slope * p.x);
    expect(hull.intercept(slope)).toBe(side === "lower" ? Math.min(...heights) : Math.max(...heights));
  }
});

test("a hull keeps few of many points", () => {
  expect(hullOf("lower", cloud(10_000)).points.length).toBeLessThan(40);
});

test("points of one x count once, collinear ones only at the ends", () => {
  const hull = hullOf(
    "lower",
    [0, 1, 1, 2].map((x, k) => ({ x, y: k === 2 ? 5 : x })),
  );
  expect(hull.points).toEqual([
    { x: 0, y: 0 },
    { x: 2, y: 2 },
  ]);
  expect(hull.slopeAt(1)).toBe(1);
});

test("the edge above x is found at the ends too", () => {
  const hull = hullOf("lower", [
    { x: 0, y: 1 },
    { x: 1, y: 0 },
    { x: 3, y: 1 },
  ]);
  expect([-1, 0.5, 1, 2, 9].map((x) => hull.slopeAt(x))).toEqual([-1, -1, 0.5, 0.5, 0.5]);
  const single = new Hull("lower");
  single.push({ x: 0, y: 0 });
  expect(single.slopeAt(0)).toBe(0);
  expect(() => single.push({ x: -1, y: 0 })).toThrow("x runs back");
});

const strip = (offset: number): Point[] => cloud(200).map(({ x, y }) => ({ x, y: 2 + 1e-4 * x + offset * (1 + Math.abs(y)) }));

test("the widest corridor between two clouds runs along them", () => {
  const corridor = widestCorridor(strip(-1e-3), strip(1e-3), 500e-6);
  expect(corridor.slope).toBeCloseTo(1e-4, 6);
  expect(corridor.y).toBeCloseTo(2, 4);
  expect(corridor.margin_s).toBeGreaterThan(1e-3);
  expect(corridor.margin_s).toBeLessThan(1.1e-3);
});

test("points that alone narrow the corridor are taken out, at most twelve", () => {
  const floor = strip(-1e-3);
  const spoilt = (n: number) => floor.map(({ x, y }, k) => ({ x, y: k % 15 === 7 && k < 15 * n ? y + 0.01 : y }));
  expect(widestCorridor(spoilt(3), strip(1e-3), 500e-6).margin_s).toBeLessThan(0);
  expect(widestCorridorWithout(spoilt(3), strip(1e-3), 500e-6, 0.9e-3).margin_s).toBeGreaterThan(0.9e-3);
  expect(widestCorridorWithout(spoilt(13), strip(1e-3), 500e-6, 0.9e-3).margin_s).toBeLessThan(0.9e-3);
});
