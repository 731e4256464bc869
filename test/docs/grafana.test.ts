import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Dashboard, files } from "../dashboards/dashboards.ts";
import { interpolated, parseSelect } from "../dashboards/influxql.ts";
import { Influxd } from "../sinks/influxd.ts";
import { examplesOf, named, rowsBelow, textOf } from "./pages.ts";

const PAGE = "docs/grafana.md";
const dashboards = Object.values(files).map((file) => Dashboard.parse(file));

test("the page has every dashboard by its address and name", () => {
  expect(rowsBelow(PAGE, "What each one answers").map(([name, address]) => [`joulebench: ${name}`, named(address!)[0]])).toEqual(
    ["live", "run", "compare"].map((name) => {
      const { title, uid } = dashboards.find((each) => each.uid === `joulebench-${name}`)!;
      return [title, `/d/${uid}`];
    }),
  );
});

test("the page has every variable", () => {
  const variables = new Set(dashboards.flatMap(({ templating }) => templating.list.map(({ name }) => name)));
  expect(rowsBelow(PAGE, "Variables").map(([name]) => named(name!)[0])).toEqual(expect.arrayContaining([...variables]));
  expect(rowsBelow(PAGE, "Variables")).toHaveLength(variables.size);
});

test("files that the page names are there, and are in the package", () => {
  const paths = [...textOf(PAGE).matchAll(/(?<![\w/])dashboards\/[\w./]*/g)].map(([path]) => path.replace(/[.,]$/, ""));
  expect(paths.length).toBeGreaterThan(3);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  expect((JSON.parse(readFileSync("package.json", "utf8")) as { files: string[] }).files).toContain("dashboards");
});

test("the example of a query is one that InfluxDB takes", async () => {
  const { text } = examplesOf(PAGE).find(({ info }) => info === "sql")!;
  expect(parseSelect(text).columns).toEqual([{ name: "voltage", expression: 'mean("voltage_v")', of: ["voltage_v"] }]);
  const influxd = await Influxd.start();
  try {
    const range = { from_ms: 0, to_ms: 1000, interval_s: 1 };
    await influxd.client().createDatabase("joulebench");
    const sent = interpolated(text, { rig: "All", device: "All", kept: ["autogen"] }, range);
    expect(await influxd.client().queryRaw(sent)).toEqual({ results: [{ statement_id: 0 }] });
  } finally {
    await influxd.stop();
  }
});
