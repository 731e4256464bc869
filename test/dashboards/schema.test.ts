import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { SCHEMA } from "../../src/sinks/influx-schema.ts";
import { type Chart, chartsOf, DATASOURCE, Dashboard, files, misplaced } from "./dashboards.ts";
import { parseSelect } from "./influxql.ts";
import { unitComplaints, unitsOf } from "./units.ts";

const fromEnvironment = (name: string) => z.literal(`\${${name}}`);
const yaml = (path: string): unknown => parse(readFileSync(`dashboards/${path}`, "utf8"));

test("there are three, each of a fixed uid", () => {
  expect(Object.entries(files).map(([name, file]) => [name, (file as Dashboard).uid])).toEqual([
    ["compare.json", "joulebench-compare"],
    ["live.json", "joulebench-live"],
    ["run.json", "joulebench-run"],
  ]);
});

describe.each(Object.entries(files))("%s", (_, file) => {
  const dashboard = Dashboard.parse(file);
  const charts = chartsOf(dashboard);

  test("panels have numbers of their own and lie beside each other", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(misplaced(dashboard.panels)).toEqual([]);
    for (const { targets } of charts) expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
  });

  test("it asks for rig, device and run, and marks throttling, faults and rules that failed", () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(expect.arrayContaining(["rig", "device", "run"]));
    expect(dashboard.annotations.list.map(({ name }) => name)).toEqual(["Throttling", "Faults", "Rules that failed", "Runs"]);
    for (const { multi, includeAll, allValue } of dashboard.templating.list)
      expect(includeAll ? allValue : multi).toBe(includeAll ? ".*" : false);
  });

  test("every query keeps to the time range, the rigs and the devices that are chosen", () => {
    const queries = [...charts.flatMap(({ targets }) => targets), ...dashboard.annotations.list.map(({ target }) => target)];
    for (const { query } of queries) {
      expect(query).toMatch(/\$timeFilter|time > now\(\) - (30d|1h)/);
      expect(query).toContain('"rig" =~ /^($rig)$/ AND "device" =~ /^($device)$/');
    }
  });

  test("what is missing stays missing: no interval is filled", () => {
    for (const { targets } of charts)
      for (const { query } of targets) expect(query.includes("GROUP BY time(") ? query : "fill(null)").toMatch(/fill\(null\)$/);
    for (const { type, fieldConfig } of charts) if (type === "timeseries") expect(fieldConfig.defaults.custom.spanNulls).toBe(false);
  });

  test("every number has the unit that its field's name ends in", () => {
    const wrong = charts.flatMap((chart) =>
      chart.targets.flatMap(({ query }) => {
        const { columns, measurement } = parseSelect(query);
        return unitComplaints(chart, columns, measurement).map((each) => `${chart.title}: ${each}`);
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("every override of a name is of a column there is", () => {
    const unmet = charts.flatMap(({ title, targets, fieldConfig }) => {
      const there = new Set(["Time", ...targets.flatMap(({ query }) => parseSelect(query).columns.map(({ name }) => name))]);
      const named = fieldConfig.overrides.filter(({ matcher }) => matcher.id === "byName").map(({ matcher }) => matcher.options);
      return named.filter((name) => !there.has(name)).map((name) => `${title}: ${name}`);
    });
    expect(unmet).toEqual([]);
  });
});

describe("what the checks must see", () => {
  const [first] = chartsOf(Dashboard.parse(files["run.json"]));
  const bare: Chart = { ...first!, fieldConfig: { defaults: { custom: {} }, overrides: [] } };
  const { columns, measurement } = parseSelect('SELECT mean("power_w") AS "power", "session" FROM "power" WHERE "rig" =~ /^($rig)$/');

  test("a number without a unit, and one with that of something else", () => {
    expect(unitComplaints(bare, columns, measurement)).toEqual(["power has no unit"]);
    const wrong = { ...bare, fieldConfig: { defaults: { unit: "joule", custom: {} }, overrides: [] } };
    expect(unitComplaints(wrong, columns, measurement)).toEqual(["power is shown in joule, expected watt"]);
  });

  test("a panel over another, and one over the edge", () => {
    const at = (id: number, x: number, w: number) => ({ id, gridPos: { x, y: 0, w, h: 2 } });
    expect(misplaced([at(1, 0, 12), at(2, 11, 6), at(3, 18, 8)])).toEqual(["panel 2 lies over panel 1", "panel 3 ends beyond column 24"]);
  });

  test.each([
    ["a number that one Grafana gave it", { id: 7 }],
    ["another data source", { panels: [{ ...first, datasource: { type: "influxdb", uid: "P951FEA4DE68E13C5" } }] }],
    ["no title", { title: "" }],
  ])("%s", (_, change) => {
    expect(Dashboard.safeParse({ ...(files["run.json"] as object), ...change }).success).toBe(false);
  });
});

test("every number of the schema has a unit in Grafana", () => {
  const fields = Object.entries(SCHEMA).flatMap(([table, each]) => Object.keys(each.fields).map((name) => ({ table, name })));
  const units = fields.map(({ table, name }) => unitsOf({ name, expression: name, of: [name] }, table)?.[0] ?? "text");
  expect(units.filter((unit) => unit.startsWith("a unit for"))).toEqual([]);
});

describe("what Grafana and InfluxDB are started with", () => {
  test("the data source is the one of the dashboards, and its variables are set by compose.yaml", () => {
    const Provisioned = z.strictObject({
      apiVersion: z.literal(1),
      datasources: z.tuple([
        z.strictObject({
          ...{ name: z.string(), uid: z.literal(DATASOURCE), type: z.literal("influxdb"), access: z.literal("proxy") },
          ...{ url: fromEnvironment("JOULEBENCH_INFLUX_URL"), editable: z.boolean() },
          jsonData: z.strictObject({
            ...{ version: z.literal("InfluxQL"), dbName: fromEnvironment("JOULEBENCH_INFLUX_DATABASE") },
            ...{ httpMode: z.literal("POST"), timeInterval: z.string() },
          }),
        }),
      ]),
    });
    Provisioned.parse(yaml("provisioning/datasources/joulebench.yaml"));
    const { services } = Compose.parse(yaml("compose.yaml"));
    expect(Object.keys(services.grafana!.environment)).toEqual(
      expect.arrayContaining(["JOULEBENCH_INFLUX_URL", "JOULEBENCH_INFLUX_DATABASE"]),
    );
    expect(services.grafana!.environment.JOULEBENCH_INFLUX_DATABASE).toBe(services.influxdb!.environment.INFLUXDB_DB);
  });

  test("the dashboards lie where Grafana is told to look", () => {
    const { providers } = Providers.parse(yaml("provisioning/dashboards/joulebench.yaml"));
    const mounts = Compose.parse(yaml("compose.yaml")).services.grafana!.volumes;
    expect(mounts).toContain(`./joulebench:${providers[0].options.path}:ro`);
    expect(mounts).toContain("./provisioning:/etc/grafana/provisioning:ro");
  });
});

const Providers = z.object({
  apiVersion: z.literal(1),
  providers: z.tuple([z.object({ type: z.literal("file"), allowUiUpdates: z.literal(false), options: z.object({ path: z.string() }) })]),
});

/** The keys of the Compose specification that are used; images have whole versions, ports are of this machine alone. */
const Compose = z.strictObject({
  name: z.string(),
  services: z.record(
    z.string(),
    z.strictObject({
      ...{ image: z.string().regex(/^[a-z/]+:\d+\.\d+\.\d+$/), restart: z.literal("unless-stopped") },
      environment: z.record(z.string(), z.string()),
      ports: z.array(z.string().startsWith("127.0.0.1:")),
      volumes: z.array(z.string()),
      depends_on: z.record(z.string(), z.strictObject({ condition: z.literal("service_healthy") })).optional(),
      healthcheck: z.strictObject({
        ...{ test: z.array(z.string()).min(2), interval: z.string(), timeout: z.string(), retries: z.int() },
      }),
    }),
  ),
  volumes: z.strictObject({ influxdb: z.null(), grafana: z.null() }),
});
