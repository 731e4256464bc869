import { expect, test } from "vitest";
import { normalProbability, normalQuantile, repeatsOf } from "../../src/metrics/repeats.ts";
import { coverageFactor } from "../../src/metrics/student.ts";
import { exponential, normal, seeded } from "../../src/simulate/random.ts";

const draws = (n: number, draw: () => number) => Array.from({ length: n }, () => ({ dividend: draw(), divisor: 1 }));

test("a mean of plain values has the textbook standard error", () => {
  const { component, effective } = repeatsOf([1, 2, 3, 4].map((dividend) => ({ dividend, divisor: 1 })));
  expect(component!.u).toBeCloseTo(Math.sqrt(5 / 3 / 4), 12);
  expect(component!.dof).toBe(3);
  expect(effective).toBe(4);
});

test("a quotient of sums has no spread when every request has the same quotient", () => {
  expect(repeatsOf([2, 5, 9].map((n) => ({ dividend: 0.4 * n, divisor: n }))).component?.u ?? 0).toBeLessThan(1e-15);
});

test.each([
  [3, "t"],
  [8, "t"],
  [40, "bootstrap"],
])(
  "the interval from %i requests (%s) holds the truth 95 times in 100",
  (n) => {
    const random = seeded(n);
    const trials = 1500;
    let inside = 0;
    for (let i = 0; i < trials; i++) {
      const shares = draws(n, () => 5 + normal(random));
      const mean = shares.reduce((sum, each) => sum + each.dividend, 0) / n;
      const { component } = repeatsOf(shares);
      if (Math.abs(mean - 5) <= coverageFactor(component!.dof) * component!.u) inside++;
    }
    expect(inside / trials).toBeGreaterThan(0.93);
    expect(inside / trials).toBeLessThan(0.975);
  },
  30_000,
);

test("a skewed spread widens the bootstrap interval no less than its standard error does", () => {
  const random = seeded(2);
  const shares = draws(60, () => exponential(random, 3));
  const values = shares.map((each) => each.dividend);
  const mean = values.reduce((sum, each) => sum + each, 0) / 60;
  const error = Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 59 / 60);
  expect(repeatsOf(shares).component!.u / error).toBeGreaterThan(0.9);
  expect(repeatsOf(shares).component!.u / error).toBeLessThan(1.2);
});

test("requests that follow their neighbours count for fewer, and the uncertainty says so", () => {
  const drifting = Array.from({ length: 16 }, (_, k) => ({ dividend: 10 + 0.1 * k, divisor: 1 }));
  const mixed = [8, 1, 14, 3, 10, 15, 0, 6, 12, 2, 13, 5, 9, 4, 11, 7].map((k) => drifting[k]!);
  const [drift, mix] = [repeatsOf(drifting), repeatsOf(mixed)];
  expect(drift.lag1!).toBeGreaterThan(0.7);
  expect(drift.effective).toBeLessThan(16 / 5);
  expect(mix.lag1!).toBeLessThan(0.5);
  expect(mix.effective).toBe(16);
  expect(drift.component!.u / mix.component!.u).toBeCloseTo(Math.sqrt(16 / drift.effective), 10);
});

test("one request says nothing about repeats", () => {
  expect(repeatsOf([{ dividend: 1, divisor: 1 }])).toEqual({ effective: 1 });
});

test("the normal distribution and its inverse agree with its tables", () => {
  expect(normalProbability(1.959964)).toBeCloseTo(0.975, 6);
  expect(normalProbability(-1)).toBeCloseTo(0.158655, 6);
  expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 4);
});
