import { expect, test } from "vitest";
import { type Ratio, ratios } from "../../src/metrics/compare.ts";
import type { BudgetLine, Results } from "../../src/model/results.ts";

type Budget = Readonly<Record<string, number>>;

/** Results with one quantity of a given budget. */
function results(value: number, budget: Budget, { name = "decode_energy_per_token", unit = "J/token", dof = 9 } = {}): Results {
  const lines = Object.entries(budget).map(([component, u]): BudgetLine => ({ component, u, dof: component === "repeats" ? dof : null }));
  const U = 2 * Math.hypot(...Object.values(budget));
  return {
    summary: { [name]: { value, unit, expanded_uncertainty: U, k: 2, n: 10 } },
    budget: { [name]: lines },
  } as unknown as Results;
}

const one = (reference: Results, other: Results, same = true): Ratio => {
  const list = ratios(reference, other, same);
  expect(list).toHaveLength(1);
  return list[0]!;
};

test("on one instrument a common gain cancels, and what each has on its own adds in quadrature", () => {
  const a = results(0.4, { gain: 0.02, edges: 0.0004 });
  const b = results(0.2, { gain: 0.01, edges: 0.0003 });
  const { ratio, expanded_uncertainty, k, cancelled } = one(a, b);
  expect(ratio).toBeCloseTo(0.5, 12);
  expect(k).toBe(2);
  expect(expanded_uncertainty! / 2).toBeCloseTo(0.5 * Math.hypot(0.0004 / 0.4, 0.0003 / 0.2), 12);
  expect(cancelled).toEqual(["gain"]);
});

test("on different instruments nothing cancels", () => {
  const { expanded_uncertainty, cancelled } = one(results(0.4, { gain: 0.02 }), results(0.2, { gain: 0.01 }), false);
  expect(expanded_uncertainty! / 2).toBeCloseTo(0.5 * Math.hypot(0.05, 0.05), 12);
  expect(cancelled).toEqual([]);
});

test("of an offset of the current the difference of its relative effects is left", () => {
  const { expanded_uncertainty } = one(results(10, { "current offset": 0.1 }), results(5, { "current offset": 0.1 }));
  expect(expanded_uncertainty! / 2).toBeCloseTo(0.5 * (0.02 - 0.01), 12);
  expect(one(results(10, { "current offset": 0.1 }), results(10, { "current offset": 0.1 })).expanded_uncertainty).toBe(0);
});

test("a net value below zero: the gain still cancels, an offset of the current adds up", () => {
  expect(one(results(10, { gain: 0.1 }), results(-5, { gain: 0.05 }))).toMatchObject({ ratio: -0.5, expanded_uncertainty: 0 });
  const { expanded_uncertainty } = one(results(10, { "current offset": 0.1 }), results(-5, { "current offset": 0.1 }));
  expect(expanded_uncertainty! / 2).toBeCloseTo(0.5 * (0.02 + 0.01), 12);
});

test("few repeats widen the interval: degrees of freedom of both sessions enter", () => {
  const { k } = one(results(1, { repeats: 0.01 }, { dof: 4 }), results(1, { repeats: 0.01 }, { dof: 4 }));
  // Welch and Satterthwaite: two equal parts of 4 degrees of freedom are worth 8.
  expect(k).toBeCloseTo(2.366, 2);
});

test("a reference that is zero within its uncertainty divides nothing", () => {
  expect(one(results(0.001, { baseline: 0.01 }), results(1, { baseline: 0.01 }))).toMatchObject({
    ratio: null,
    expanded_uncertainty: null,
  });
});

test("only quantities of one name and one unit are compared", () => {
  expect(ratios(results(1, {}), results(1, {}, { name: "unit_energy" }), true)).toEqual([]);
  expect(ratios(results(1, {}), results(1, {}, { unit: "J" }), true)).toEqual([]);
});

test("a value without a budget keeps its whole uncertainty", () => {
  const a = results(100, {});
  const summary = { decode_energy_per_token: { value: 100, unit: "J/token", expanded_uncertainty: 4, k: 2, n: 5 } };
  expect(one(a, { ...a, summary }).expanded_uncertainty! / 2).toBeCloseTo(0.02, 12);
});
