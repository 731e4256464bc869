import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InferenceEvent } from "../../src/model/event.ts";
import type { RigHealth } from "../../src/model/health.ts";
import type { Reading } from "../../src/model/reading.ts";
import type { Results } from "../../src/model/results.ts";
import { Points } from "../../src/sinks/influx-points.ts";
import { SCHEMA } from "../../src/sinks/influx-schema.ts";
import { END, mean, open, resultsOf } from "../sinks/bench.ts";
import { Influxd } from "../sinks/influxd.ts";
import { resultsOfEverything } from "./everything.ts";
import { examplesOf, named, rowsBelow } from "./pages.ts";

const PAGE = "docs/influx.md";
const tables = Object.entries(SCHEMA);

const event: InferenceEvent = {
  ...{
    type: "request_end",
    source: "device",
    epoch: 0,
    tick: 1,
    request: "r1",
    tokens: 1,
    outputTokens: 9,
    cachedTokens: 2,
    outcome: "ok",
  },
  ...{ unit: "image", count: 1, model: "m", phase: "warm", correct: 1 },
};
const health: RigHealth = {
  ...{ rig: "pi5", host: "lab-1", state: "waiting", at_s: 20, since_s: 10, plan: "01.yaml", out: "01", cell: 3, cells: 8, queued: 2 },
  ...{ restarts: 1, valid: false, reason: "gaps", energy_per_token_j: 0.4, lost_s: 0.05, error: "killed", database_lag_s: 7 },
  ...{ outbox_bytes: 900, clock: { offset_s: 0.01, bound_s: 0.002 } },
};
const TELEMETRY: readonly Reading[] = [
  ...["temperature_degc:cpu", "frequency_hz:cpu0", "frequency_max_hz:cpu0", "frequency_limit_hz:cpu0", "cooling_state:fan"],
].map((channel) => ({ source: "telemetry", epoch: 0, channel, tick: 0, value: 1 }));
const fault = { source: "meter", code: "lost_samples", count: 7, at_s: 1, detail: "why" } as const;
const episode = { onset_s: 2, onset_performance_s: 3, end_s: 9, cause: "thermal", class: "soft", evidence: ["clock"], severity: 0.2 };
const { measurements, summary, validity } = resultsOfEverything();
const results: Results = resultsOf(measurements, { summary, validity, throttling: { episodes: [episode] } });

/** Every point that everything a session can say makes. */
function lines(): string[] {
  const points = new Points({ rig: "pi5", host: "lab-1", session: "s-1", wallStart_ns: 0n, work: {}, tags: {} });
  const power = { ...mean(0), current_a: 0.5, voltage_v: 5 };
  const made = [
    points.power(power),
    points.health(health),
    points.event(event, 1),
    ...TELEMETRY.flatMap((each) => points.reading(each, 1)),
    ...points.fault(fault),
    ...points.results(results),
  ];
  return made.map((line) => line!);
}

test("the page has every measurement with its tags and where it is kept", () => {
  expect(rowsBelow(PAGE, "Measurements").map(([table, tags, kept]) => [named(table!), named(tags!), named(kept!)])).toEqual(
    tables.map(([table, { tags, kept }]) => [[table], tags, [kept]]),
  );
});

test("the page has every field with its unit, and which of them have an uncertainty", () => {
  const written = rowsBelow(PAGE, "Fields").flatMap(([table = "", fields = "", unit]) =>
    named(fields).flatMap((name) =>
      (named(table).includes("u_") ? [name, `u_${name}`] : [name]).map((each) => `${named(table)[0]} ${each}: ${unit}`),
    ),
  );
  const real = tables.flatMap(([table, { fields }]) => Object.entries(fields).map(([name, unit]) => `${table} ${name}: ${unit}`));
  expect(written.sort()).toEqual(real.sort());
});

test("points have the tags and fields of the schema and no others, and every measurement is made", () => {
  const seen = new Map<string, Set<string>>();
  for (const line of lines()) {
    const [, series = "", fields = ""] = /^((?:\\.|[^ \\])+) (.*) \d+$/s.exec(line)!;
    const [table = "", ...tags] = series.split(/(?<!\\),/).map((each) => each.split("=")[0]!);
    const schema = SCHEMA[table as keyof typeof SCHEMA];
    expect(tags).toEqual(schema.tags.toSorted());
    const names = [...fields.matchAll(/(?:^|,)(\w+)=(?:"(?:\\.|[^"\\])*"|[^,"]*)/g)].map((match) => match[1]!);
    expect(names.filter((name) => !(name in schema.fields))).toEqual([]);
    seen.set(table, new Set([...(seen.get(table) ?? []), ...names]));
  }
  expect([...seen.keys()].sort()).toEqual(Object.keys(SCHEMA).sort());
  for (const table of ["power", "event", "telemetry", "validity", "fault", "throttling", "annotation"] as const)
    expect([...seen.get(table)!].sort()).toEqual(Object.keys(SCHEMA[table].fields).sort());
});

describe("queries of the page, in a real database", () => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start();
    const { sink } = open({ port: influxd.port });
    sink.power?.(mean(0));
    sink.fault?.(fault);
    sink.results?.(results);
    sink.health?.(health);
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 0 });
  });
  afterAll(() => influxd.stop());

  test.each(examplesOf(PAGE).filter(({ info }) => info === "sql"))("line $line", async ({ text }) => {
    const rows = await influxd.client().query(text.replace("'pi5'", "'bench 1'"), { database: "joulebench" });
    expect(rows.length).toBeGreaterThan(0);
  });
});
