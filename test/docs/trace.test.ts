import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { examplesOf } from "./pages.ts";

// Every test starts the program, several times.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const MAIN = join(process.cwd(), "dist/main.js");
const dir = mkdtempSync(join(tmpdir(), "joulebench-trace-docs-"));
let instance: DuckDBInstance;
let connection: DuckDBConnection;

const RATE_HZ = 200;
/** Power steps from 1.5 W by 4 W where a phase begins; voltage never changes, so steps are of current. */
const STEP_W = 4;

/** Two minutes with five requests; phases begin at the end of a sample, or `inside` one by so many seconds. */
function record(name: string, inside_s: number): void {
  const from = join(dir, "given", name);
  mkdirSync(from, { recursive: true });
  const busy = (t: number): boolean => t >= 60 + inside_s && t < 110 + inside_s && (t - 60 - inside_s) % 10 < 8;
  const mean = (end_s: number): number => {
    const parts = Array.from({ length: 100 }, (_, k) => end_s - (k + 0.5) / 100 / RATE_HZ);
    return (1.5 + (STEP_W * parts.filter(busy).length) / 100) / 5;
  };
  const rows = Array.from({ length: 120 * RATE_HZ }, (_, k) => `${(k + 1) / RATE_HZ},${mean((k + 1) / RATE_HZ)},5`);
  writeFileSync(join(from, "power.csv"), `time_s,current_a,voltage_v\n${rows.join("\n")}\n`);
  const events = [0, 1, 2, 3, 4].flatMap((k) => {
    const start_s = 60 + 10 * k + inside_s;
    const tokens = Array.from({ length: 12 }, (_, i) => ({
      type: "token",
      request: `r${k}`,
      time_s: start_s + 2 + (i + 1) / 2,
      tokens: 1,
    }));
    return [
      { type: "request_start", request: `r${k}`, time_s: start_s },
      { type: "first_token", request: `r${k}`, time_s: start_s + 2, tokens: 16 },
      ...tokens,
      { type: "request_end", request: `r${k}`, time_s: start_s + 8 },
    ];
  });
  writeFileSync(join(from, "events.jsonl"), events.map((each) => `${JSON.stringify(each)}\n`).join(""));
  writeFileSync(join(from, "rig.json"), JSON.stringify({ rate_hz: RATE_HZ, idle: [[0, 59]], gain_uncertainty: 0.01 }));
  joulebench("import", "generic", from, "--out", join("sessions", name));
}

const joulebench = (...args: string[]): string =>
  execFileSync(process.execPath, [MAIN, ...args], { cwd: dir, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const resultsOf = (session: string): Results => JSON.parse(readFileSync(join(dir, session, "results.json"), "utf8"));

const sqlOf = (info: string): string[] =>
  examplesOf("docs/trace.md")
    .filter((each) => each.info === info)
    .map(({ text }) => text.replaceAll(/'(sessions|lake)\//g, `'${dir}/$1/`));

const ask = async (sql: string): Promise<Record<string, unknown>[]> => (await connection.runAndReadAll(sql)).getRowObjectsJS();

beforeAll(async () => {
  record("on-samples", 0);
  record("inside-samples", 0.0013);
  instance = await DuckDBInstance.create(":memory:");
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
  rmSync(dir, { recursive: true });
});

describe("the recipes of docs/trace.md", () => {
  test("give the energies of results.json, of several sessions at once", async () => {
    const [samples, windows, energies, footers] = sqlOf("sql trace");
    await connection.run(samples!);
    await connection.run(windows!);
    const rows = await ask(energies!);
    expect(rows).toHaveLength(10);
    for (const { folder, results_j, samples_j } of rows as { folder: string; results_j: number; samples_j: number }[]) {
      const edges_j = folder.endsWith("inside-samples") ? (2 * STEP_W) / RATE_HZ : 0;
      expect(Math.abs(samples_j - results_j)).toBeLessThanOrEqual(edges_j + 1e-9 * results_j);
      expect(results_j).toBeCloseTo(44, 1);
    }
    const facts = await ask(footers!);
    expect(facts.map(({ key }) => key)).toEqual(expect.arrayContaining(["joulebench.session", "joulebench.columns", "joulebench.clock"]));
  });

  test("read what export makes for an object store", async () => {
    for (const session of ["on-samples", "inside-samples"])
      joulebench("export", join("sessions", session), "--format", "parquet", "--out", "lake");
    const [sql] = sqlOf("sql lake");
    const rows = await ask(sql!);
    expect(rows.map(({ session, stream }) => `${session} ${stream}`)).toEqual(
      [resultsOf("sessions/inside-samples"), resultsOf("sessions/on-samples")].map(({ session }) => `${session} power`).sort(),
    );
    for (const { energy_j } of rows) expect(energy_j).toBeCloseTo(120 * 1.5 + 40 * STEP_W, 6);
  });
});

describe("joulebench export", () => {
  test("writes CSV that import generic reads back with the same results", () => {
    joulebench("export", "sessions/inside-samples", "--format", "csv", "--out", "csv");
    expect(readdirSync(join(dir, "csv")).sort()).toEqual(["events.jsonl", "power.csv", "rig.json"]);
    joulebench("import", "generic", "csv", "--out", "sessions/again");
    const [before, after] = [resultsOf("sessions/inside-samples"), resultsOf("sessions/again")];
    expect(after.measurements).toHaveLength(before.measurements.length);
    for (const [k, { name, value, start_s }] of before.measurements.entries()) {
      expect(after.measurements[k]).toMatchObject({ name, start_s: expect.closeTo(start_s, 9) });
      expect(Math.abs(after.measurements[k]!.value! - value!)).toBeLessThanOrEqual(1e-7 * Math.abs(value!));
    }
    rmSync(join(dir, "sessions/again"), { recursive: true });
  });

  test("cuts a stretch of time out, to standard output", () => {
    const lines = joulebench("export", "sessions/on-samples", "--format", "csv", "--from", "61", "--to", "61.02").trim().split("\n");
    expect(lines).toEqual(["time_s,current_a,voltage_v", ...[61, 61.005, 61.01, 61.015].map((t) => `${t.toFixed(9)},1.1,5`)]);
  });

  test("writes lines that a time-series database takes: results and tenths of a second", () => {
    const lines = joulebench("export", "sessions/on-samples", "--format", "lp").trim().split("\n");
    const line = /^\w+(,[a-z_]+=(\\.|[^ ,=\\])+)* ([a-z\d_]+=([-+.\de]+i?|true|false|"(\\.|[^"\\])*")(,|(?= )))+ \d{19}$/;
    expect(lines.filter((each) => !line.test(each))).toEqual([]);
    const powers = lines.filter((each) => each.startsWith("power,"));
    expect(powers).toHaveLength(1200);
    expect(powers[605]).toMatch(/ .*power_w=5\.5,power_min_w=5\.5,power_max_w=5\.5/);
    // One point per window, with everything that was measured of it.
    const { measurements } = resultsOf("sessions/on-samples");
    const windows = new Set(measurements.map(({ phase, request, index, start_s }) => JSON.stringify([phase, request, index, start_s])));
    const points = lines.filter((each) => each.startsWith("inference,"));
    expect(points).toHaveLength(windows.size);
    expect(points.filter((each) => each.includes("energy_per_token_j="))).toHaveLength(
      measurements.filter(({ name }) => name === "decode_energy_per_token").length,
    );
  });

  test.each<[string[], string]>([
    [["--format", "xlsx"], "no such format; there are: csv, parquet, lp"],
    [["--format", "csv", "--source", "nobody"], "no such source in sessions/on-samples; there are: power"],
    [["--format", "csv", "--from", "noon"], "expected session time in seconds"],
    [["--format", "parquet", "--from", "1"], "copies whole files"],
    [["--format", "lp", "--source", "power"], "leave --source out"],
  ])("%s is refused", (options, complaint) => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, "export", "sessions/on-samples", ...options], {
      cwd: dir,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(complaint) });
  });
});
