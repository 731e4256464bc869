import { SCHEMA } from "../../src/sinks/influx-schema.ts";
import type { Chart } from "./dashboards.ts";
import type { Column } from "./influxql.ts";

const COUNT = ["none"];
const SHARE = ["none", "percentunit"];

/** Grafana's ids of a unit that the end of a field's name stands for; `si:` scales like its own. The first that fits. */
const SUFFIXES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/_per_(prompt_|output_)?token(_net)?_j$/, ["si:J/token"]],
  [/_token_per_s$/, ["si:token/s"]],
  [/_j_s$/, ["si:J s"]],
  [/_w$/, ["watt"]],
  [/_j$/, ["joule"]],
  [/_s$/, ["s"]],
  [/_degc$/, ["celsius"]],
  [/_hz$/, ["hertz"]],
  [/_v$/, ["volt"]],
  [/_a$/, ["amp"]],
  [/_bytes$/, ["bytes"]],
  [/_c$/, ["si:C"]],
  [/^(tokens|output_tokens|cached_tokens|index|requests|faults|count|correct|cells?|queued|restarts|(u_)?requests_per_charge)$/, COUNT],
  [/^(coverage|severity|cooling_state|(u_)?accuracy)$/, SHARE],
];

/** Units a column may be shown in; undefined for a text, a time or a truth, which has none. */
export function unitsOf(column: Column, measurement: string): readonly string[] | undefined {
  if (column.expression.includes("$__interval_ms")) return ["si:token/s"];
  if (/\bcount\(/.test(column.expression)) return COUNT;
  const fields: Readonly<Record<string, string>> = SCHEMA[measurement as keyof typeof SCHEMA]?.fields ?? {};
  const numeric = column.of.find((name) => !["text", "true or false", "ms since 1970", undefined].includes(fields[name]));
  return numeric === undefined ? undefined : (SUFFIXES.find(([suffix]) => suffix.test(numeric))?.[1] ?? [`a unit for ${numeric}`]);
}

/** The unit Grafana shows a column in: that of its name, else the panel's. */
export function shownIn({ fieldConfig: { defaults, overrides } }: Chart, name: string): string | undefined {
  const own = overrides.filter(({ matcher }) => matcher.id === "byName" && matcher.options === name);
  const unit = own.flatMap(({ properties }) => properties).findLast(({ id }) => id === "unit")?.value;
  return typeof unit === "string" ? unit : defaults.unit;
}

/** What is wrong with the units of one query of a panel. */
export function unitComplaints(panel: Chart, columns: readonly Column[], measurement: string): string[] {
  return columns.flatMap((column) => {
    const units = unitsOf(column, measurement);
    const shown = shownIn(panel, column.name);
    if (units === undefined) return [];
    if (shown === undefined) return [`${column.name} has no unit`];
    return units.includes(shown) ? [] : [`${column.name} is shown in ${shown}, expected ${units.join(" or ")}`];
  });
}
