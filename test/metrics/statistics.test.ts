import { expect, test } from "vitest";
import { combined, effectiveDof, expanded, summed } from "../../src/metrics/budget.ts";
import { Histogram } from "../../src/metrics/histogram.ts";
import { coverageFactor } from "../../src/metrics/student.ts";
import { seeded } from "../../src/simulate/random.ts";

// JCGM 100:2008, table G.2, column 95.45 %.
test.each([
  [1, 13.97],
  [2, 4.53],
  [3, 3.31],
  [5, 2.65],
  [10, 2.28],
  [20, 2.13],
  [50, 2.05],
  [100, 2.025],
])("coverage factor for %i degrees of freedom is %f", (dof, k) => {
  expect(coverageFactor(dof)).toBeCloseTo(k, k > 10 ? 1 : 2);
});

test("without degrees of freedom to worry about the coverage factor is 2", () => {
  expect(coverageFactor(Number.POSITIVE_INFINITY)).toBe(2);
});

test("a dominating component of few degrees of freedom widens the interval, a small one hardly does", () => {
  const component = (u: number, dof: number) => ({ name: "x", u, dof });
  const wide = expanded([component(1, 4), component(0.1, Number.POSITIVE_INFINITY)]);
  const narrow = expanded([component(0.1, 4), component(1, Number.POSITIVE_INFINITY)]);
  expect(wide.k).toBeGreaterThan(2.8);
  expect(narrow.k).toBeLessThan(2.001);
  expect(effectiveDof([component(1, 4), component(1, 4)])).toBeCloseTo(8, 12);
});

test("common effects add up over requests, own effects average", () => {
  const one = [
    { name: "gain", u: 0.3, dof: Number.POSITIVE_INFINITY },
    { name: "sampling", u: 0.4, dof: Number.POSITIVE_INFINITY },
  ];
  const four = summed([one, one, one, one]);
  expect(four.find((each) => each.name === "gain")!.u).toBeCloseTo(1.2, 12);
  expect(four.find((each) => each.name === "sampling")!.u).toBeCloseTo(0.8, 12);
  expect(combined(one)).toBeCloseTo(0.5, 12);
});

test("quantiles are right to a bin and exact for constant levels, in both signs", () => {
  const histogram = new Histogram();
  for (let i = 0; i < 900; i++) histogram.add(1.2);
  for (let i = 0; i < 90; i++) histogram.add(9);
  for (let i = 0; i < 10; i++) histogram.add(-0.5);
  expect(histogram.quantile(0.001)).toBe(-0.5);
  expect(histogram.quantile(0.5)).toBeCloseTo(1.2, 12);
  expect(histogram.quantile(0.999)).toBe(9);
  const random = seeded(9);
  const parts = [new Histogram(), new Histogram()];
  for (let i = 0; i < 20_000; i++) parts[i % 2]!.add(3 + 2 * random());
  parts[0]!.take(parts[1]!);
  for (const share of [0.01, 0.25, 0.5, 0.99]) expect(parts[0]!.quantile(share) / (3 + 2 * share)).toBeCloseTo(1, 1.7);
});

test("an empty histogram has no quantile", () => {
  expect(new Histogram().quantile(0.5)).toBeNaN();
});
