import type { Results } from "../model/results.ts";
import { table, withUncertainty } from "./format.ts";
import { headlinesOf } from "./headlines.ts";

/** What batteries are rated in, beside the SI unit: 1 mWh = 3.6 J, 1 mAh = 3.6 C. */
const IN_BATTERY_UNITS: Readonly<Record<string, readonly [string, number]>> = {
  request_energy: ["mWh", 1 / 3.6],
  charge: ["mAh", 1 / 3.6],
};

/** The table at the end of a command: value ± expanded uncertainty, coverage factor, number of requests. */
export function summaryTable({ summary }: Results): string {
  const rows = headlinesOf(summary).flatMap(([name, label]) => {
    const each = summary[name]!;
    const row = (unit: string, factor: number): string[] => [
      label,
      withUncertainty(each.value * factor, each.expanded_uncertainty * factor),
      unit,
      each.k.toFixed(2),
      String(each.n),
    ];
    const other = IN_BATTERY_UNITS[name];
    return other ? [row(each.unit, 1), row(...other)] : [row(each.unit, 1)];
  });
  return rows.length === 0 ? "  nothing could be measured" : table([["", "value ± U", "", "k", "n"], ...rows], [1, 3, 4]);
}

/** Values of others beside which ours stand. */
export function referenceTable({ references }: Results): string {
  return table(
    references.map((each) => [each.method, each.request ?? "", each.name, String(each.value), each.unit]),
    [3],
  );
}

/** Each rule on a line; only those that do not hold unless `all`. */
export function validityTable({ validity }: Results, all: boolean): string {
  return table(validity.filter((each) => all || !each.pass).map(({ rule, level, pass, detail }) => [pass ? "PASS" : level, rule, detail]));
}

/** Requests that did not end well, by how they ended. */
export function outcomeTable({ outcomes }: Results): string {
  const kinds = [...new Set(outcomes.map(({ outcome }) => outcome))];
  return table(
    kinds.map((kind) => {
      const names = outcomes.filter(({ outcome }) => outcome === kind).map(({ request }) => request);
      const more = names.length - MOST_NAMES;
      return [String(names.length), kind, `${names.slice(0, MOST_NAMES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`];
    }),
    [0],
  );
}

/** Requests named in a row; of more only the number is given. */
const MOST_NAMES = 5;

export function faultTable({ faults }: Results): string {
  return table(
    faults.map(({ source, code, count, at_s, detail }) => [String(count), code, source, `from ${at_s.toFixed(1)} s`, detail ?? ""]),
    [0],
  );
}

/** `valid`, or the rules that fail. */
export function verdict({ validity }: Results): string {
  const failed = validity.filter((each) => !each.pass && each.level === "FAIL");
  const warned = validity.filter((each) => !each.pass && each.level === "WARN");
  const warnings = warned.length > 0 ? `, ${warned.length} ${warned.length === 1 ? "warning" : "warnings"}` : "";
  return failed.length === 0 ? `valid${warnings}` : `NOT VALID: ${failed.map((each) => each.rule).join(", ")}${warnings}`;
}
