import { expect, test } from "vitest";
import { between, exponential, normal, type Random, seeded } from "../../src/simulate/random.ts";

const draw = (n: number, next: () => number): number[] => Array.from({ length: n }, next);
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
const variance = (values: readonly number[], around: number): number => mean(values.map((v) => (v - around) ** 2));

test("the same seed gives the same draws, another seed others", () => {
  const [a, b, c] = [seeded(7), seeded(7), seeded(8)].map((random: Random) => draw(5, random));
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
});

test.each([0, 1, 2, -1, 2 ** 31])("seed %i is uniform on [0, 1)", (seed) => {
  const values = draw(50_000, seeded(seed));
  expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...values)).toBeLessThan(1);
  // Standard deviation of the mean: sqrt(1/12 / 50 000) = 0.0013.
  expect(Math.abs(mean(values) - 0.5)).toBeLessThan(0.0065);
});

test("the distributions have the mean and the spread they say", () => {
  const random = seeded(3);
  const waits = draw(50_000, () => exponential(random, 2));
  expect(Math.abs(mean(waits) - 2)).toBeLessThan(0.045);
  const noise = draw(50_000, () => normal(random));
  expect(Math.abs(mean(noise))).toBeLessThan(0.0225);
  expect(Math.abs(variance(noise, 0) - 1)).toBeLessThan(0.032);
  expect(draw(1000, () => between(random, -2, -1)).every((v) => v >= -2 && v < -1)).toBe(true);
});
