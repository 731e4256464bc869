import type { ExperimentSummary } from "../session/experiment-summary.ts";
import { significant, table, withUncertainty, wrap } from "./format.ts";
import { headlinesOf } from "./headlines.ts";

/** The table at the end of an experiment: one block per set of parameters, then what was not measured. */
export function experimentTable({ groups, unmeasured }: ExperimentSummary): string {
  const parts = groups.map(({ values, cells, quantities }) => {
    const rows = headlinesOf(quantities).map(([name, label]) => {
      const each = quantities[name]!;
      const { value, expanded_uncertainty: U, unit, spread, n } = each;
      return [label, withUncertainty(value, U), unit, spread === null ? "-" : significant(spread, 2), String(n)];
    });
    const head = Object.entries(values).map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`);
    const body = rows.length > 0 ? table([["", "mean ± U", "", "spread", "n"], ...rows], [1, 3, 4]) : "  no valid session";
    return `${head.join(", ") || "all"} (${cells.length} valid ${cells.length === 1 ? "session" : "sessions"})\n${body}`;
  });
  if (groups.some(({ cells }) => cells.length > 1))
    parts.push(
      wrap("U holds for the mean itself; spread is its part from the repetitions alone, which tells cells of one instrument apart."),
    );
  if (unmeasured.length > 0)
    parts.push(`Without a valid session:\n${table(unmeasured.map(({ cell, state, reason = "" }) => [cell, state, reason]))}`);
  return parts.join("\n\n");
}
