import type { Component } from "../model/measurement.ts";
import type { Results } from "../model/results.ts";
import { COMPONENTS, type ComponentName, expanded, scaled, summed } from "./budget.ts";
import { repeatsOf } from "./repeats.ts";

/** One quantity over the repetitions of one cell. Expanded uncertainties are at about 95 %. */
export interface RepetitionMean {
  readonly value: number;
  readonly unit: string;
  /** Of the mean: the spread of the repetitions, and what they share, such as the gain. Of a single one, its own. */
  readonly expanded_uncertainty: number;
  readonly k: number;
  /** From the spread alone, by Student's t: what tells cells of one instrument apart. Null for a single one. */
  readonly spread: number | null;
  readonly n: number;
  /** Of each repetition, in the order of measuring. */
  readonly values: readonly number[];
}

type Session = Pick<Results, "summary" | "budget">;

/**
 * Means of every quantity that all repetitions have. Where successive repetitions resemble each other they are worth
 * fewer, and from 20 on the bootstrap stands in for Student's t, both as for requests. What the requests of a session
 * share is taken to be shared by sessions, too; what is drawn anew is in their spread.
 *
 * @param sessions the repetitions, in the order of measuring
 */
export function repetitionMeans(sessions: readonly Session[]): Record<string, RepetitionMean> {
  const names = Object.keys(sessions[0]?.summary ?? {}).filter((name) => sessions.every(({ summary }) => summary[name] !== undefined));
  return Object.fromEntries(names.map((name) => [name, meanOf(name, sessions)]));
}

function meanOf(name: string, sessions: readonly Session[]): RepetitionMean {
  const each = sessions.map(({ summary }) => summary[name]!);
  const values = each.map(({ value }) => value);
  const about = { value: values.reduce((sum, one) => sum + one, 0) / values.length, unit: each[0]!.unit, n: values.length, values };
  if (values.length < 2) return { ...about, expanded_uncertainty: each[0]!.expanded_uncertainty, k: each[0]!.k, spread: null };
  const { component } = repeatsOf(values.map((dividend) => ({ dividend, divisor: 1 })));
  const scatter = component ? [component] : [];
  const shared = scaled(summed(sessions.map((session) => sharedIn(name, session))), 1 / values.length);
  const { U, k } = expanded([...scatter, ...shared]);
  return { ...about, expanded_uncertainty: U, k, spread: expanded(scatter).U };
}

/** Components of a session's value that its requests share. */
function sharedIn(name: string, { budget }: Session): Component[] {
  return (budget[name] ?? [])
    .filter(({ component }) => COMPONENTS[component as ComponentName] === "common")
    .map(({ component, u, dof }) => ({ name: component, u, dof: dof ?? Number.POSITIVE_INFINITY }));
}
