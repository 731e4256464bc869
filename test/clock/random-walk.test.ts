import { expect, test } from "vitest";
import { smoothWalk } from "../../src/clock/random-walk.ts";

const WANDER = 2e-8;
const line = (x: number): number => 1e-3 + 20e-6 * x;
const sights = Array.from({ length: 50 }, (_, k) => ({ x: k * 10, y: line(k * 10), variance: 1e-10 }));

test("a line that is seen is found, with its slope", () => {
  const states = smoothWalk(sights, WANDER);
  expect(states.map(({ x }) => x)).toEqual(sights.map(({ x }) => x));
  for (const { x, y, slope, u_s } of states) {
    expect(y).toBeCloseTo(line(x), 9);
    expect(slope).toBeCloseTo(20e-6, 9);
    expect(u_s).toBeLessThan(1e-5);
  }
  expect(smoothWalk([], WANDER)).toEqual([]);
});

test("what tells nothing is bridged, and the line less sure there", () => {
  const hidden = sights.map((each, k) => (k >= 20 && k < 30 ? { ...each, y: Number.NaN, variance: Number.POSITIVE_INFINITY } : each));
  const [seen, bridged] = [smoothWalk(sights, WANDER), smoothWalk(hidden, WANDER)];
  for (const { x, y } of bridged) expect(y).toBeCloseTo(line(x), 9);
  expect(bridged[25]!.u_s).toBeGreaterThan(1.5 * seen[25]!.u_s);
});

test("the more the rate may wander, the nearer the line is to what was seen", () => {
  const bent = sights.map((each) => ({ ...each, y: each.y + (each.x === 250 ? 1e-4 : 0) }));
  const [stiff, loose] = [WANDER, 100 * WANDER].map((wander) => smoothWalk(bent, wander)[25]!.y - line(250));
  expect(loose!).toBeGreaterThan(3 * stiff!);
  expect(loose!).toBeLessThan(1e-4);
});
