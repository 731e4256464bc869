import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { readManifest } from "../../src/store/trace-manifest.ts";

// Every test starts the program, several times.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const MAIN = join(process.cwd(), "dist/main.js");
const dir = mkdtempSync(join(tmpdir(), "joulebench-trace-"));
const session = join(dir, "session");
const trace = join(session, "trace");
afterAll(() => rmSync(dir, { recursive: true }));

const joulebench = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });

beforeEach(() => {
  rmSync(session, { recursive: true, force: true });
  expect(joulebench("import", "generic", "docs/examples/generic", "--out", session).status).toBe(0);
});

test("an import has a trace, and analyze makes one that is missing or of another version, with the same results", () => {
  expect(readManifest(trace)).toMatchObject({ streams: [{ source: "power", rows: 190 }] });
  const results = readFileSync(join(session, "results.json"), "utf8");
  rmSync(trace, { recursive: true });
  joulebench("analyze", session);
  expect(readManifest(trace)).toBeDefined();
  writeFileSync(join(trace, "_trace.json"), '{"format":1,"joulebench":"0.0.1","session":"x","streams":[]}');
  writeFileSync(join(trace, "old"), "");
  joulebench("analyze", session);
  expect(readManifest(trace)).toMatchObject({ streams: [{ rows: 190 }] });
  expect(existsSync(join(trace, "old"))).toBe(false);
  expect(readFileSync(join(session, "results.json"), "utf8")).toBe(results);
});

test("a trace that is there is left as it is", () => {
  writeFileSync(join(trace, "mine"), "");
  joulebench("analyze", session);
  expect(existsSync(join(trace, "mine"))).toBe(true);
});

test("where the disk refuses, export says so and leaves nothing half", () => {
  rmSync(trace, { recursive: true });
  const without = spawnSync("prlimit", ["--fsize=2000", process.execPath, MAIN, "export", session, "--format", "parquet"], {
    encoding: "utf8",
  });
  expect(without.status).toBe(4);
  expect(without.stderr).toMatch(/cannot .* the trace .*the tape holds everything/);
  expect(readdirSync(session).filter((name) => name.startsWith("trace"))).toEqual([]);
});

test("what a killed process left behind is taken away, what a living one is at stays", () => {
  rmSync(trace, { recursive: true });
  mkdirSync(join(session, "trace.999999999.tmp"));
  mkdirSync(join(session, `trace.${process.pid}.tmp`));
  joulebench("analyze", session);
  expect(
    readdirSync(session)
      .filter((name) => name.startsWith("trace"))
      .sort(),
  ).toEqual(["trace", `trace.${process.pid}.tmp`]);
});
