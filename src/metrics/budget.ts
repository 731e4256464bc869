import type { Component } from "../model/measurement.ts";
import { coverageFactor } from "./student.ts";

/**
 * How a component behaves over several requests: `common` effects push all of them the same way and add linearly,
 * `own` effects are drawn anew for each and add in quadrature.
 */
export type Sharing = "common" | "own";

/** Components of the uncertainty of an energy, and how each is shared; GUM budget of science.md 2.8. */
export const COMPONENTS = {
  gain: "common",
  "current offset": "common",
  "voltage offset": "common",
  resolution: "common",
  clock: "common",
  bandwidth: "common",
  baseline: "common",
  // Where in its sample a step falls is new each time, but a sample split by time alone always gives the step away.
  edges: "common",
  sampling: "own",
  gap: "own",
  repeats: "own",
} as const satisfies Record<string, Sharing>;

export type ComponentName = keyof typeof COMPONENTS;

/** Combined standard uncertainty of independent components. */
export function combined(components: readonly Component[]): number {
  let squares = 0;
  for (const { u } of components) squares += u * u;
  return Math.sqrt(squares);
}

/** Effective degrees of freedom by Welch and Satterthwaite (JCGM 100:2008, G.4.1). */
export function effectiveDof(components: readonly Component[]): number {
  const u = combined(components);
  const sum = components.reduce((total, { u: part, dof }) => total + (Number.isFinite(dof) ? part ** 4 / dof : 0), 0);
  return sum === 0 ? Number.POSITIVE_INFINITY : u ** 4 / sum;
}

/** Expanded uncertainty at about 95 % and its coverage factor. */
export function expanded(components: readonly Component[]): { readonly U: number; readonly k: number } {
  const u = combined(components);
  const k = u === 0 ? 2 : coverageFactor(effectiveDof(components));
  return { U: u === 0 ? 0 : k * u, k };
}

/** Components of a quantity that is the other one times `factor`. */
export const scaled = (components: readonly Component[], factor: number): Component[] =>
  components.map((each) => ({ ...each, u: each.u * Math.abs(factor) }));

/** Components of the sum of several quantities, each effect added as it is shared between them. */
export function summed(budgets: readonly (readonly Component[])[]): Component[] {
  const names = [...new Set(budgets.flatMap((budget) => budget.map((each) => each.name)))];
  return names.map((name) => {
    const parts = budgets.flatMap((budget) => budget.filter((each) => each.name === name));
    const isCommon = COMPONENTS[name as ComponentName] === "common";
    const u = isCommon ? parts.reduce((total, each) => total + each.u, 0) : Math.hypot(...parts.map((each) => each.u));
    return { name, u, dof: Math.min(...parts.map((each) => each.dof)) };
  });
}
