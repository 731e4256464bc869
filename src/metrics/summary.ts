import type { Component } from "../model/measurement.ts";
import type { BudgetLine, Percentiles, SummaryValue } from "../model/results.ts";
import { expanded, scaled, summed } from "./budget.ts";
import type { WindowEnergy } from "./energies.ts";
import { type Quotient, quotientsOf, type RateUncertainty } from "./quantities.ts";
import { repeatsOf } from "./repeats.ts";

export interface Summary {
  readonly values: Record<string, SummaryValue>;
  readonly budget: Record<string, BudgetLine[]>;
  readonly percentiles: Record<string, Percentiles>;
}

/**
 * Aggregates each quantity over the windows of valid requests: quotient of sums, its budget, and the spread between
 * requests as a type A component (GUM 4.2; ratio estimator for quotients).
 */
export function summarise(energies: readonly WindowEnergy[], rateUncertainty: RateUncertainty): Summary {
  const byName = new Map<string, Quotient[]>();
  for (const energy of energies) {
    if (energy.window.phase === "token") continue;
    for (const quotient of quotientsOf(energy, rateUncertainty)) {
      const list = byName.get(quotient.name) ?? [];
      byName.set(quotient.name, list);
      list.push(quotient);
    }
  }
  const summary: Summary = { values: {}, budget: {}, percentiles: {} };
  for (const [name, quotients] of byName) {
    const dividend = sum(quotients.map((each) => each.dividend));
    const divisor = sum(quotients.map((each) => each.divisor));
    if (!(divisor > 0)) continue; // No answer was correct.
    const value = dividend / divisor;
    const { component, lag1, effective } = repeatsOf(quotients);
    const components = [...systematic(quotients, dividend, divisor), ...(component ? [component] : [])];
    const { U, k } = expanded(components);
    const repeated = lag1 === undefined ? {} : { lag1, n_eff: effective };
    summary.values[name] = { value, unit: quotients[0]!.unit, expanded_uncertainty: U, k, n: quotients.length, ...repeated };
    if (SPREAD.has(name)) summary.percentiles[name] = percentilesOf(quotients);
    summary.budget[name] = components.map(({ name: component, u, dof }) => ({ component, u, dof: Number.isFinite(dof) ? dof : null }));
  }
  return summary;
}

function systematic(quotients: readonly Quotient[], dividend: number, divisor: number): Component[] {
  const total = summed(quotients.map((each) => each.components));
  return scaled(total, quotients[0]!.uncertain === "dividend" ? 1 / divisor : dividend / divisor ** 2);
}

/** Quantities whose spread over requests people ask for. */
const SPREAD = new Set(["request_energy", "request_energy_per_output_token", "decode_energy_per_token", "ttft", "tpot", "e2e_latency"]);

function percentilesOf(quotients: readonly Quotient[]): Percentiles {
  const sorted = quotients.map((each) => each.dividend / each.divisor).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  return { unit: quotients[0]!.unit, n: sorted.length, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) };
}

/** Of a normal distribution, two-sided 95 %. */
const Z = 1.96;

/**
 * Share of right answers among all that were asked, an answer that never came among them; undefined where none is
 * judged. Its uncertainty is the longer arm of Wilson's interval (J. Am. Stat. Assoc. 22, 1927), which is not empty
 * where all answers are right.
 *
 * @param energies of every window, whether or not its energy counts
 */
export function accuracyOf(energies: readonly WindowEnergy[]): { readonly value: SummaryValue; readonly budget: BudgetLine[] } | undefined {
  const judged = energies.filter(({ window }) => window.phase === "unit" && window.stage === undefined && window.correct !== undefined);
  const n = sum(judged.map(({ window }) => Math.max(1, window.tokens)));
  if (n === 0) return undefined;
  const value = sum(judged.map(({ window }) => window.correct!)) / n;
  const shrink = 1 / (1 + Z ** 2 / n);
  const middle = (value + Z ** 2 / (2 * n)) * shrink;
  const half = Z * Math.sqrt((value * (1 - value)) / n + (Z / (2 * n)) ** 2) * shrink;
  const expanded_uncertainty = half + Math.abs(middle - value);
  return {
    value: { value, unit: "1", expanded_uncertainty, k: Z, n },
    budget: [{ component: "answers", u: expanded_uncertainty / Z, dof: null }],
  };
}

/** Adds what does not depend on energies. */
export function addAccuracy({ values, budget }: Pick<Summary, "values" | "budget">, energies: readonly WindowEnergy[]): void {
  const accuracy = accuracyOf(energies);
  if (!accuracy) return;
  values.accuracy = accuracy.value;
  budget.accuracy = accuracy.budget;
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
