import type { Component } from "../model/measurement.ts";
import type { BudgetLine, SummaryValue } from "../model/results.ts";
import { expanded, scaled, summed } from "./budget.ts";
import type { WindowEnergy } from "./energies.ts";
import { type Quotient, quotientsOf, type RateUncertainty } from "./quantities.ts";

export interface Summary {
  readonly values: Record<string, SummaryValue>;
  readonly budget: Record<string, BudgetLine[]>;
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
  const summary: Summary = { values: {}, budget: {} };
  for (const [name, quotients] of byName) {
    const dividend = sum(quotients.map((each) => each.dividend));
    const divisor = sum(quotients.map((each) => each.divisor));
    const value = dividend / divisor;
    const components = [...systematic(quotients, dividend, divisor), ...repeats(quotients, value, divisor)];
    const { U, k } = expanded(components);
    summary.values[name] = { value, unit: quotients[0]!.unit, expanded_uncertainty: U, k, n: quotients.length };
    summary.budget[name] = components.map(({ name: component, u, dof }) => ({ component, u, dof: Number.isFinite(dof) ? dof : null }));
  }
  return summary;
}

function systematic(quotients: readonly Quotient[], dividend: number, divisor: number): Component[] {
  const total = summed(quotients.map((each) => each.components));
  return scaled(total, quotients[0]!.uncertain === "dividend" ? 1 / divisor : dividend / divisor ** 2);
}

/** Standard error of the quotient of sums from the residuals of the single requests; nothing to say from one of them. */
function repeats(quotients: readonly Quotient[], value: number, divisor: number): Component[] {
  const n = quotients.length;
  if (n < 2) return [];
  const squares = sum(quotients.map((each) => (each.dividend - value * each.divisor) ** 2));
  const u = Math.sqrt((n / (n - 1)) * squares) / Math.abs(divisor);
  return u > 0 ? [{ name: "repeats", u, dof: n - 1 }] : [];
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
