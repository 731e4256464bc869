import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";

export const FOLDER = "dashboards/joulebench";
export const DATASOURCE = "joulebench-influxdb";

/*
 * What Grafana's classic dashboard model needs of a file, and what ours promise besides: grafana.com/docs, "Dashboard
 * JSON model", and the source of its InfluxDB data source for the queries.
 */

const Datasource = z.strictObject({ type: z.literal("influxdb"), uid: z.literal(DATASOURCE) });
const Property = z.strictObject({ id: z.string().min(1), value: z.unknown() });
const Override = z.strictObject({
  matcher: z.strictObject({ id: z.enum(["byName", "byRegexp"]), options: z.string().min(1) }),
  properties: z.array(Property).min(1),
});
const Target = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource: Datasource,
  rawQuery: z.literal(true),
  resultFormat: z.enum(["table", "time_series"]),
  query: z.string().startsWith("SELECT "),
  alias: z.string().optional(),
});
const GridPos = z.strictObject({ h: z.int().min(1), w: z.int().min(1).max(24), x: z.int().min(0).max(23), y: z.int().min(0) });
const Row = z.strictObject({
  ...{ id: z.int().min(1), type: z.literal("row"), title: z.string().min(1), gridPos: GridPos },
  ...{ collapsed: z.literal(false), panels: z.tuple([]) },
});
const Chart = z.strictObject({
  ...{ id: z.int().min(1), title: z.string().min(1), description: z.string().min(1), gridPos: GridPos, datasource: Datasource },
  type: z.enum(["timeseries", "table", "stat", "state-timeline", "bargauge", "barchart"]),
  targets: z.array(Target).min(1),
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      unit: z.string().optional(),
      mappings: z.array(z.unknown()).optional(),
      custom: z.strictObject({ spanNulls: z.literal(false).optional() }).catchall(z.unknown()),
    }),
    overrides: z.array(Override),
  }),
  options: z.record(z.string(), z.unknown()),
  transformations: z.array(z.looseObject({ id: z.enum(["filterFieldsByName", "joinByField"]) })).optional(),
});
const Variable = z.strictObject({
  ...{ name: z.enum(["rig", "device", "run", "kept"]), label: z.string().min(1), description: z.string() },
  ...{ type: z.literal("query"), datasource: Datasource, query: z.string().min(1), definition: z.string().min(1) },
  // 2: asked again when the time range changes.
  ...{ refresh: z.literal(2), regex: z.string(), sort: z.int(), hide: z.literal(0), multi: z.boolean(), includeAll: z.boolean() },
  // A custom value for All also finds what has no such tag; a list of all values would not.
  allValue: z.literal(".*").optional(),
  // Nothing of the machine it was made on may be chosen.
  ...{ skipUrlSync: z.literal(false), options: z.tuple([]), current: z.record(z.string(), z.unknown()) },
});
const Annotation = z.strictObject({
  ...{ name: z.string().min(1), datasource: Datasource, enable: z.literal(true), hide: z.literal(false), iconColor: z.string().min(1) },
  target: z.strictObject({
    ...{ refId: z.string(), fromAnnotations: z.literal(true), queryType: z.literal("tags"), rawQuery: z.literal(true) },
    ...{ name: z.string(), query: z.string().startsWith("SELECT "), tagsColumn: z.literal("title"), textColumn: z.literal("text") },
    ...{ timeEndColumn: z.enum(["end_ms", ""]), titleColumn: z.literal("") },
  }),
});

/** A dashboard without `id`, which is the number one Grafana gave it and no other knows. */
export const Dashboard = z.strictObject({
  uid: z.string().regex(/^joulebench-[a-z]+$/),
  ...{ title: z.string().min(1), description: z.string().min(1), tags: z.tuple([z.literal("joulebench")]) },
  ...{ timezone: z.literal("browser"), editable: z.boolean(), graphTooltip: z.literal(1), schemaVersion: z.literal(39) },
  ...{ version: z.literal(1), fiscalYearStartMonth: z.literal(0), liveNow: z.boolean(), timepicker: z.strictObject({}) },
  refresh: z.string().regex(/^(\d+[sm])?$/),
  time: z.strictObject({ from: z.string().startsWith("now-"), to: z.literal("now") }),
  links: z.array(z.looseObject({ type: z.literal("dashboards") })),
  templating: z.strictObject({ list: z.array(Variable) }),
  annotations: z.strictObject({ list: z.array(Annotation) }),
  panels: z.array(z.discriminatedUnion("type", [Row, Chart])),
});

export type Dashboard = z.infer<typeof Dashboard>;
export type Chart = z.infer<typeof Chart>;
export type GridPos = z.infer<typeof GridPos>;

/** The files as they lie there, by name. */
export const files: Readonly<Record<string, unknown>> = Object.fromEntries(
  readdirSync(FOLDER).map((name) => [name, JSON.parse(readFileSync(`${FOLDER}/${name}`, "utf8"))]),
);

/** Panels that ask something. */
export const chartsOf = ({ panels }: Dashboard): Chart[] => panels.filter((panel): panel is Chart => panel.type !== "row");

/** What stands over something else, or over the edge: Grafana would move it. */
export function misplaced(panels: readonly { readonly id: number; readonly gridPos: GridPos }[]): string[] {
  const cells = new Map<string, number>();
  return panels.flatMap(({ id, gridPos: { x, y, w, h } }) => {
    const own = Array.from({ length: w * h }, (_, k) => `${x + (k % w)},${y + Math.floor(k / w)}`);
    const under = new Set(own.flatMap((cell) => cells.get(cell) ?? []));
    for (const cell of own) cells.set(cell, id);
    return [
      ...(x + w > 24 ? [`panel ${id} ends beyond column 24`] : []),
      ...[...under].map((other) => `panel ${id} lies over panel ${other}`),
    ];
  });
}
