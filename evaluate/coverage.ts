import { coverageFactor } from "../src/metrics/student.ts";
import type { BudgetLine, SummaryValue } from "../src/model/results.ts";
import { normal, type Random, seeded } from "../src/simulate/random.ts";
import type { Draw } from "./conditions.ts";

/** One stated interval and the true value it is about. */
export interface Claim {
  readonly value: number;
  readonly U: number;
  readonly truth: number;
  readonly budget: readonly BudgetLine[];
}

/** How well the intervals of many trials hold, and how narrow they are. */
export interface Coverage {
  readonly trials: number;
  /** Share of intervals that the budgets themselves expect to hold the truth, and share of those that did. */
  readonly predicted: number;
  readonly observed: number;
  /** Median U over half the width of the central 95 % of the errors. */
  readonly width: number;
  /** Mean error over the median U. */
  readonly bias: number;
  /** The component with the largest share of the variance, and that share; means over the trials. */
  readonly largest: string;
  readonly largestShare: number;
}

export const claimOf = ({ value, expanded_uncertainty: U }: SummaryValue, budget: readonly BudgetLine[], truth: number): Claim => ({
  value,
  U,
  truth,
  budget,
});

/** The same claim had one component never been in its budget. */
export function without(component: string, { value, truth, budget }: Claim): Claim {
  const rest = budget.filter((each) => each.component !== component);
  return {
    value,
    truth,
    budget: rest,
    U: expandedOf(
      rest.map((each) => each.u),
      rest,
    ),
  };
}

export function coverageOf(claims: readonly Claim[], draw: Draw): Coverage {
  const random = seeded(1);
  const errors = claims.map(({ value, truth }) => value - truth);
  const inside = claims.filter(({ U }, i) => Math.abs(errors[i]!) <= U).length;
  const U = median(claims.map((each) => each.U));
  const [largest, largestShare] = largestOf(claims);
  return {
    trials: claims.length,
    predicted: mean(claims.map(({ budget }) => expectedCoverage(budget, draw, random))),
    observed: inside / claims.length,
    width: U / halfWidth(errors),
    bias: mean(errors) / U,
    largest,
    largestShare,
  };
}

/** Draws for each claim; with a thousand claims the expectation is good to 0.2 points. */
const DRAWS = 20;

/**
 * The coverage a budget expects of itself, by its own rules: were its standard uncertainties the true ones, and those
 * with degrees of freedom found anew from so many draws, how often would the interval hold the error?
 */
function expectedCoverage(budget: readonly BudgetLine[], draw: Draw, random: Random): number {
  let inside = 0;
  for (let k = 0; k < DRAWS; k++) {
    const error = budget.reduce((sum, { u, component }) => sum + u * draw(component, random), 0);
    const found = budget.map(({ u, dof }) => (dof === null ? u : u * Math.sqrt(chiSquared(dof, random) / dof)));
    if (Math.abs(error) <= expandedOf(found, budget)) inside++;
  }
  return inside / DRAWS;
}

/** The nearest whole number of degrees of freedom is near enough. */
function chiSquared(dof: number, random: Random): number {
  let sum = 0;
  for (let k = 0; k < Math.max(1, Math.round(dof)); k++) sum += normal(random) ** 2;
  return sum;
}

/** U of standard uncertainties whose degrees of freedom stand in a budget (Welch and Satterthwaite, JCGM 100:2008, G.4.1). */
function expandedOf(parts: readonly number[], budget: readonly BudgetLine[]): number {
  const u = Math.hypot(...parts);
  if (u === 0) return 0;
  const inverseDof = budget.reduce((sum, { dof }, i) => sum + (dof === null ? 0 : parts[i]! ** 4 / dof), 0) / u ** 4;
  return u * factor(inverseDof);
}

const factors = new Map<number, number>();

/** Coverage factors, computed once per thousandth of 1 / dof. */
function factor(inverseDof: number): number {
  const key = Math.round(1000 * Math.min(1, inverseDof));
  const known = factors.get(key) ?? coverageFactor(key === 0 ? Number.POSITIVE_INFINITY : 1000 / key);
  factors.set(key, known);
  return known;
}

function largestOf(claims: readonly Claim[]): [string, number] {
  const shares = new Map<string, number>();
  for (const { budget } of claims) {
    const total = budget.reduce((sum, each) => sum + each.u ** 2, 0);
    for (const { component, u } of budget) shares.set(component, (shares.get(component) ?? 0) + u ** 2 / total / claims.length);
  }
  return [...shares].sort((a, b) => b[1] - a[1])[0] ?? ["none", 0];
}

/** Half the distance between the 2.5 and the 97.5 percentile. */
function halfWidth(errors: readonly number[]): number {
  const sorted = errors.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return (at(0.975) - at(0.025)) / 2;
}

const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
