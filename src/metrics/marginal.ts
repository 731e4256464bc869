import type { BudgetLine, SummaryValue } from "../model/results.ts";
import { combined, expanded } from "./budget.ts";
import type { WindowEnergy } from "./energies.ts";

/** Output lengths that must differ before a slope means anything. */
const LEAST_LENGTHS = 5;
/** Prompts count as alike when their lengths differ by less than this share. */
const SAME_PROMPT = 0.05;

/** Energy of one more output token: a line through the energies of requests over their output tokens. */
export interface Marginal {
  readonly value: SummaryValue;
  readonly budget: readonly BudgetLine[];
}

/**
 * Least squares of request energy on output tokens, at (nearly) the same prompt length.
 *
 * @param gain relative standard uncertainty that all energies share
 * @returns undefined with fewer than five different output lengths, or with prompts that differ
 */
export function marginalEnergy(requests: readonly WindowEnergy[], prefills: readonly WindowEnergy[], gain: number): Marginal | undefined {
  const prompts = prefills.map((each) => each.window.tokens);
  if (Math.max(...prompts) > Math.min(...prompts) * (1 + SAME_PROMPT)) return undefined;
  const points = requests.flatMap(({ window, energy_j }) => (energy_j === null ? [] : [{ x: window.tokens, y: energy_j }]));
  if (new Set(points.map((each) => each.x)).size < LEAST_LENGTHS) return undefined;
  const n = points.length;
  const meanX = points.reduce((sum, each) => sum + each.x, 0) / n;
  const meanY = points.reduce((sum, each) => sum + each.y, 0) / n;
  const sxx = points.reduce((sum, each) => sum + (each.x - meanX) ** 2, 0);
  const slope = points.reduce((sum, each) => sum + (each.x - meanX) * (each.y - meanY), 0) / sxx;
  const rest = points.reduce((sum, each) => sum + (each.y - meanY - slope * (each.x - meanX)) ** 2, 0);
  const components = [
    { name: "gain", u: Math.abs(slope) * gain, dof: Number.POSITIVE_INFINITY },
    { name: "repeats", u: Math.sqrt(rest / (n - 2) / sxx), dof: n - 2 },
  ].filter((each) => each.u > 0);
  const { U, k } = combined(components) > 0 ? expanded(components) : { U: 0, k: 2 };
  return {
    value: { value: slope, unit: "J/token", expanded_uncertainty: U, k, n },
    budget: components.map(({ name, u, dof }) => ({ component: name, u, dof: Number.isFinite(dof) ? dof : null })),
  };
}
