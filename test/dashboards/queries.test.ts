import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joulebench } from "../e2e/joulebench.ts";
import { Influxd } from "../sinks/influxd.ts";
import { complaintsOf, type Question, questions, variables } from "./contract.ts";
import { files } from "./dashboards.ts";
import { makeHealth, makeReadingsAndEpisodes } from "./made.ts";
import { record, rigWith } from "./recorded.ts";

/*
 * Every query of every dashboard, as Grafana sends it, in a real InfluxDB. Two recorded sessions are sent to one
 * database by the program: a valid one of a rig that names its device, and one that is not valid of a rig that does
 * not. What no session can say yet is written by the sink to another database, so that it fills nothing here.
 */

const RUNS = ["virtual-0a0a0a0a", "bench-0b0b0b0b"];
const now_ms = Date.now();
const range = { from_ms: now_ms - 3_600_000, to_ms: now_ms + 3_600_000, interval_s: 10 };
const dir = mkdtempSync(join(tmpdir(), "joulebench-dashboards-"));
let influxd: Influxd;

async function send(name: string, minutes: number, tags: string): Promise<void> {
  const influx = `{ port: ${influxd.port}, rate_hz: 2${tags} }`;
  const [rig = ""] = name.split("-");
  const folder = join(dir, name);
  const plan = { engine: { kind: "llama-server", model: `models/phi-3-mini-${rig === "bench" ? "Q8_0" : "Q4_K_M"}.gguf` } };
  const started_ms = now_ms - minutes * 60_000;
  await record({ dir: folder, session: name, minutes, started_ms, influx, plan }, rigWith(influx, rig));
  const { code, stderr } = await joulebench(["resend", folder], { cwd: dir });
  expect([code, stderr]).toEqual([0, ""]);
}

beforeAll(async () => {
  influxd = await Influxd.start();
  await Promise.all([send(RUNS[0]!, 5.4, ", tags: { device: phone }"), send(RUNS[1]!, 2, "")]);
  await makeReadingsAndEpisodes({ port: influxd.port, database: "made", session: RUNS[0]!, folder: join(dir, "made"), started_ms: now_ms });
  await makeHealth({ port: influxd.port, database: "made", folder: join(dir, "health"), started_ms: now_ms });
}, 60_000);
afterAll(async () => {
  await influxd.stop();
  rmSync(dir, { recursive: true });
});

const ask = (question: Question, database = "joulebench", chosen = {}) =>
  complaintsOf(question, { client: influxd.client(), database, range, runs: RUNS, chosen });
const all = Object.values(files).flatMap(questions);
const named = (list: readonly Question[]) => list.map((each) => [each.where, each] as const);
const isMade = ({ query }: Question): boolean => /"telemetry"|"health"|"throttling"|'throttling'/.test(query);

test("there are queries of both kinds", () => {
  expect([all.filter(isMade).length, all.filter((each) => !isMade(each)).length]).toEqual([expect.any(Number), expect.any(Number)]);
  expect(all.filter(isMade).length).toBeGreaterThan(8);
  expect(all.length).toBeGreaterThan(40);
});

describe("filled by recorded sessions", () => {
  test.each(named(all.filter((each) => !isMade(each))))("%s", async (_, question) => {
    expect(await ask(question)).toEqual([]);
  });
});

describe("of temperatures, clocks and throttling, which no session gives yet, and of what daemons tell: filled by the sink alone", () => {
  test.each(named(all.filter(isMade)))("%s", async (_, question) => {
    expect(await ask(question, "made")).toEqual([]);
  });
});

describe("variables", () => {
  test.each(
    Object.values(files)
      .flatMap(variables)
      .map((each) => [each.where, each] as const),
  )("%s", async (_, { query, values }) => {
    const rows = await influxd.client().query<Record<string, unknown>>(query(range), { database: "joulebench" });
    expect(new Set([...rows].map((row) => row.value ?? row.run ?? row.name))).toEqual(new Set(values));
  });
});

describe("one rig, one device, one run", () => {
  const power = all.find(({ where }) => where.endsWith("one run: Power A"))!;

  test("a device that is chosen has its rig, and All has the rigs without one too", async () => {
    expect(await ask(power, "joulebench", { device: ["phone"] })).toEqual([]);
    expect(await ask(power, "joulebench", { device: "All", rig: ["bench"], run: [RUNS[1]!] })).toEqual([]);
    expect(await ask(power, "joulebench", { device: ["phone"], rig: ["bench"] })).toEqual(["no series"]);
  });
});

describe("what the contract must see", () => {
  const question = (query: string): Question => ({ where: "made up", query, panel: undefined });
  const select = (field: string, rest = ""): Question =>
    question(`SELECT "${field}" FROM "summary" WHERE $timeFilter AND "stage" = 'none'${rest}`);

  test.each([
    ["a field that is not there", select("joules"), ["joules is no field or tag of summary", "no series"]],
    [
      "a tag that is not there",
      question('SELECT "valid" FROM "summary" WHERE "phone" = \'x\' AND $timeFilter'),
      expect.arrayContaining(["phone is no field or tag of summary"]),
    ],
    [
      "a measurement that is not there",
      question('SELECT "valid" FROM "totals" WHERE $timeFilter'),
      expect.arrayContaining(["totals is no measurement"]),
    ],
    ["a field that no session fills", select("energy_per_unit_j"), ["energy_per_unit_j was never written to summary", "no series"]],
    [
      "a column that is empty",
      question('SELECT "requests", "energy_per_unit_j" FROM "summary" WHERE $timeFilter'),
      expect.arrayContaining(["energy_per_unit_j is empty"]),
    ],
    ["a series that is empty", select("valid", " AND \"rig\" = 'none'"), ["no series"]],
    [
      "what is no InfluxQL",
      question('SELECT "valid" FROM "summary" WHERE $timeFilter AND AND'),
      [expect.stringMatching(/error parsing query/)],
    ],
  ])("%s", async (_, broken, complaints) => {
    expect(await ask(broken)).toEqual(complaints);
  });
});
