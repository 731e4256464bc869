import { effectiveDof } from "../metrics/budget.ts";
import type { BudgetLine, Results, SummaryValue } from "../model/results.ts";
import { significant, table, WIDTH, withUncertainty } from "./format.ts";
import { headlinesOf } from "./headlines.ts";

/** The uncertainty budget of each headline quantity (JCGM 100:2008), largest component first. */
export function budgetTable({ budget, summary }: Results): string {
  return headlinesOf(summary)
    .filter(([name]) => (budget[name]?.length ?? 0) > 0)
    .map(([name, label]) => quantity(`${label} (${name})`, summary[name]!, budget[name]!))
    .join("\n\n");
}

function quantity(title: string, { value, unit, expanded_uncertainty: U, k }: SummaryValue, lines: readonly BudgetLine[]): string {
  const variance = lines.reduce((sum, { u }) => sum + u * u, 0);
  const share = (u: number): string => (value === 0 ? "-" : `${((100 * u) / Math.abs(value)).toFixed(3)} %`);
  const rows = lines
    .toSorted((a, b) => b.u - a.u)
    .map(({ component, u, dof }) => [component, u.toPrecision(3), share(u), `${((100 * u * u) / variance).toFixed(1)} %`, degrees(dof)]);
  const effective = effectiveDof(lines.map(({ component, u, dof }) => ({ name: component, u, dof: dof ?? Number.POSITIVE_INFINITY })));
  const combined = Math.sqrt(variance);
  const heads = ["component", `u / ${unit}`, "of value", "of variance", "dof"];
  const total = ["combined", combined.toPrecision(3), share(combined), "100 %", degrees(effective)];
  return [
    heading(title, `${withUncertainty(value, U)} ${unit}`),
    table([heads, ...rows, total], [1, 2, 3, 4]),
    `  U = ${k.toFixed(2)} × ${combined.toPrecision(3)} ${unit} = ${significant(U, 2)} ${unit}, about 95 %`,
  ].join("\n");
}

/** On one line where a terminal has the room. */
const heading = (title: string, value: string): string => {
  const line = `  ${title}: ${value}`;
  return line.length <= WIDTH ? line : `  ${title}:\n    ${value}`;
};

/** Degrees of freedom: without end for what no spread was taken of, and for sums dominated by that. */
const degrees = (dof: number | null): string =>
  dof === null || !Number.isFinite(dof) || dof > 1e4 ? "∞" : dof.toFixed(dof < 100 ? 1 : 0).replace(/\.0$/, "");
