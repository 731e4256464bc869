import type { SummaryValue } from "../model/results.ts";
import { expanded } from "./budget.ts";
import { repeatsOf } from "./repeats.ts";

/** One quantity over the repetitions of one cell. */
export interface RepetitionMean {
  readonly value: number;
  readonly unit: string;
  /** At about 95 %, from the spread of the repetitions alone: what they share, such as the gain, is in each session's own. Null for one. */
  readonly expanded_uncertainty: number | null;
  readonly k: number | null;
  readonly n: number;
  /** Of each repetition, in the order of measuring. */
  readonly values: readonly number[];
}

/**
 * Means of every quantity that all repetitions have, with the interval of Student's t (of the bootstrap from 20 on),
 * widened where successive repetitions resemble each other.
 *
 * @param summaries of the repetitions, in the order of measuring
 */
export function repetitionMeans(summaries: readonly Readonly<Record<string, SummaryValue>>[]): Record<string, RepetitionMean> {
  const names = Object.keys(summaries[0] ?? {}).filter((name) => summaries.every((each) => each[name] !== undefined));
  return Object.fromEntries(names.map((name) => [name, meanOf(summaries.map((each) => each[name]!))]));
}

function meanOf(each: readonly SummaryValue[]): RepetitionMean {
  const values = each.map(({ value }) => value);
  const value = values.reduce((sum, one) => sum + one, 0) / values.length;
  const about = { value, unit: each[0]!.unit, n: values.length, values };
  if (values.length < 2) return { ...about, expanded_uncertainty: null, k: null };
  const { component } = repeatsOf(values.map((dividend) => ({ dividend, divisor: 1 })));
  const { U, k } = expanded(component ? [component] : []);
  return { ...about, expanded_uncertainty: U, k };
}
