import type { Results } from "../model/results.ts";
import type { SessionFile } from "../store/session-file.ts";
import { budgetTable } from "./budget-table.ts";
import { faultTable, outcomeTable, referenceTable, summaryTable, validityTable, verdict } from "./results-table.ts";

/** Says on stderr what a session's state means for whoever reads its results. */
export function noteState(dir: string, { state }: SessionFile): void {
  if (state === "recording")
    process.stderr.write(`note: ${dir} was never closed: its run is still going on, or was killed; this is what its tape holds\n`);
  else if (state === "interrupted") process.stderr.write(`note: ${dir} ended before its time; this is what was recorded until then\n`);
}

/** Prints results for people, or as the one JSON document on stdout. */
export function printResults(results: Results, { json, budget }: { json: boolean; budget?: boolean }): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
    return;
  }
  const parts = [summaryTable(results)];
  if (budget) parts.push(`Uncertainty budgets, standard uncertainties (k = 1):\n${budgetTable(results)}`);
  if (results.references.length > 0) parts.push(`Values of others, from the same data:\n${referenceTable(results)}`);
  if (results.outcomes.length > 0) parts.push(`Requests that did not end well:\n${outcomeTable(results)}`);
  if (results.faults.length > 0) parts.push(`Faults:\n${faultTable(results)}`);
  const unmet = validityTable(results, false);
  parts.push(`${verdict(results)}${unmet ? `\n${unmet}` : ""}`);
  process.stdout.write(`${parts.join("\n\n")}\n`);
}
