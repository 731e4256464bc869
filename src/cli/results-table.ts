import type { Results } from "../model/results.ts";
import { table, withUncertainty } from "./format.ts";

/** Quantities of the table, in its order; the rest is in `--json`. */
const HEADLINES: readonly (readonly [string, string])[] = [
  ["load_energy", "model load"],
  ["prefill_energy", "prefill"],
  ["prefill_energy_per_prompt_token", "prefill per prompt token"],
  ["decode_energy_per_token", "decode per token"],
  ["decode_energy_per_token_net", "decode per token, net of idle"],
  ["request_energy_per_output_token", "request per output token"],
  ["request_energy_per_output_token_net", "request per output token, net"],
  ["unit_energy", "window"],
  ["energy_per_unit", "per unit"],
  ["mean_power", "mean power of requests"],
  ["unit_mean_power", "mean power of windows"],
  ["idle_power", "idle power"],
  ["ttft", "time to first token"],
  ["tpot", "time per output token"],
  ["decode_rate", "decode rate"],
];

/** The table at the end of a command: value ± expanded uncertainty, coverage factor, number of requests. */
export function summaryTable({ summary }: Results): string {
  const rows = HEADLINES.flatMap(([name, label]) => {
    const each = summary[name];
    return each ? [[label, withUncertainty(each.value, each.expanded_uncertainty), each.unit, each.k.toFixed(2), String(each.n)]] : [];
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

export function faultTable({ faults }: Results): string {
  return table(
    faults.map(({ source, code, count, at_s, detail }) => [
      String(count),
      code,
      source,
      `from ${at_s.toFixed(1)} s`,
      (detail ?? "").slice(0, 60),
    ]),
    [0],
  );
}

/** The uncertainty budget of the headline quantities, component by component, each as a share of the value. */
export function budgetTable({ budget, summary }: Results): string {
  const names = HEADLINES.map(([name]) => name).filter((name) => (budget[name]?.length ?? 0) > 0);
  return names
    .map((name) => {
      const { value, unit } = summary[name]!;
      const lines = budget[name]!.map(({ component, u, dof }) => [
        `  ${component}`,
        u.toPrecision(3),
        unit,
        `${((100 * u) / Math.abs(value)).toFixed(3)} %`,
        dof === null ? "" : `${dof} degrees of freedom`,
      ]);
      return `  ${name}\n${table(lines, [1, 3])}`;
    })
    .join("\n");
}

/** `valid`, or the rules that fail. */
export function verdict({ validity }: Results): string {
  const failed = validity.filter((each) => !each.pass && each.level === "FAIL");
  const warned = validity.filter((each) => !each.pass && each.level === "WARN");
  const warnings = warned.length > 0 ? `, ${warned.length} ${warned.length === 1 ? "warning" : "warnings"}` : "";
  return failed.length === 0 ? `valid${warnings}` : `NOT VALID: ${failed.map((each) => each.rule).join(", ")}${warnings}`;
}
