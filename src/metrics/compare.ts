import type { Component } from "../model/measurement.ts";
import type { Results } from "../model/results.ts";
import { expanded } from "./budget.ts";

/**
 * Effects that are the same in every session of one instrument with one calibration, and what they do to a value:
 * `scale` multiplies it, so their ratio is free of it; `shift` adds to it in proportion to its length, so that only
 * the difference of the two relative effects is left.
 *
 * Nothing else cancels: the clocks are fitted anew in each session, each has its own baseline, repeats, gaps and
 * edges, and a least count falls elsewhere at another power.
 */
const SHARED: Readonly<Record<string, "scale" | "shift">> = { gain: "scale", "voltage offset": "scale", "current offset": "shift" };

/** One quantity of a session over the same quantity of the reference. */
export interface Ratio {
  readonly name: string;
  /** Unit of the two values; the ratio has none. */
  readonly unit: string;
  readonly reference: number;
  readonly value: number;
  /** Null where the reference cannot be told from zero: nothing can be divided by it. */
  readonly ratio: number | null;
  readonly expanded_uncertainty: number | null;
  readonly k: number | null;
  /** Components of both values that the ratio is free of, wholly or in part. */
  readonly cancelled: readonly string[];
}

/**
 * Ratio of every quantity both sessions have, with its uncertainty: u²(r) / r² is the sum of the squares of what the
 * two have each on their own (JCGM 100:2008, 5.1.6, and 5.2 for what they share).
 *
 * @param sameInstrument one instrument with one calibration measured both; on different ones nothing cancels
 */
export function ratios(reference: Results, other: Results, sameInstrument: boolean): Ratio[] {
  return Object.keys(reference.summary)
    .filter((name) => other.summary[name]?.unit === reference.summary[name]!.unit)
    .map((name) => ratioOf(name, [reference, other], sameInstrument));
}

function ratioOf(name: string, pair: readonly [Results, Results], sameInstrument: boolean): Ratio {
  const [below, above] = pair.map((each) => each.summary[name]!) as [Results["summary"][string], Results["summary"][string]];
  const about = { name, unit: below.unit, reference: below.value, value: above.value };
  if (Math.abs(below.value) <= below.expanded_uncertainty || below.value === 0)
    return { ...about, ratio: null, expanded_uncertainty: null, k: null, cancelled: [] };
  const ratio = above.value / below.value;
  const parts = { above: componentsOf(name, pair[1]), below: componentsOf(name, pair[0]) };
  const names = [...new Set([...parts.above, ...parts.below].map((each) => each.name))];
  const components = names.flatMap((component) => {
    const [upper, lower] = [parts.above, parts.below].map((list) => list.find((each) => each.name === component));
    // Effects of the component on the ratio, by way of the value above and of the one below.
    const up = { u: (upper?.u ?? 0) / Math.abs(below.value), dof: upper?.dof ?? FOREVER };
    const down = { u: ((lower?.u ?? 0) * Math.abs(ratio)) / Math.abs(below.value), dof: lower?.dof ?? FOREVER };
    const shared = sameInstrument ? SHARED[component] : undefined;
    if (!shared) return [up, down].map(({ u, dof }): Component => ({ name: component, u, dof }));
    // A shift acts the same way on a value whatever its sign; a scale turns with it.
    const left = shared === "shift" && ratio < 0 ? up.u + down.u : up.u - down.u;
    return [{ name: component, u: Math.abs(left), dof: Math.min(up.dof, down.dof) }];
  });
  const { U, k } = expanded(components.filter((each) => each.u > 0));
  return { ...about, ratio, expanded_uncertainty: U, k, cancelled: sameInstrument ? names.filter((each) => each in SHARED) : [] };
}

const FOREVER = Number.POSITIVE_INFINITY;

/** The budget of a value; a value without one has its whole uncertainty as a component of its own. */
function componentsOf(name: string, { budget, summary }: Results): Component[] {
  const lines = budget[name] ?? [];
  const { expanded_uncertainty: U, k } = summary[name]!;
  if (lines.length === 0) return U > 0 ? [{ name: "undivided", u: U / k, dof: FOREVER }] : [];
  return lines.map(({ component, u, dof }) => ({ name: component, u, dof: dof ?? FOREVER }));
}
