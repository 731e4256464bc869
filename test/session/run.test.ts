import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { JoulebenchError } from "../../src/model/errors.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { type RunWatcher, run } from "../../src/session/run.ts";

const dir = mkdtempSync(join(tmpdir(), "joulebench-run-"));
afterAll(() => rmSync(dir, { recursive: true }));

const rigAt = (port: string, more = "") =>
  parseRig(
    `name: bench
instruments: { meter: { kind: bridge-ina219, port: ${port}, shunt_ohm: 0.1 } }
measurand: meter.main
plan: { baseline_s: 1 }
${more}`,
    "bench.yaml",
  );

const runAt = (port: string, out: string, { more = "", watcher = {} }: { more?: string; watcher?: RunWatcher } = {}) =>
  run(rigAt(port, more), out, { signal: new AbortController().signal, watcher });

test("a run whose port is not there throws, and leaves nothing behind", async () => {
  const out = join(dir, "no-port");
  const stages: string[] = [];
  const failed = runAt("/dev/ttyNOWHERE0", out, { watcher: { stage: (stage) => stages.push(stage) } });
  await expect(failed).rejects.toMatchObject({ kind: "link", subject: "/dev/ttyNOWHERE0" });
  expect(stages).toEqual(["opening", "closing"]);
  expect(existsSync(out)).toBe(false);
});

test("a sink that lacks its password is told before a port is opened, and leaves nothing behind", async () => {
  const out = join(dir, "no-password");
  const more = "sinks: { influx: { username: lab, password_env: JOULEBENCH_TEST_ABSENT } }";
  const failed = runAt("/dev/ttyNOWHERE0", out, { more });
  await expect(failed).rejects.toThrow(/JOULEBENCH_TEST_ABSENT is not set/);
  await expect(failed).rejects.toBeInstanceOf(JoulebenchError);
  expect(existsSync(out)).toBe(false);
});

test("one that is interrupted before it began is kept, empty as it is", async () => {
  const out = join(dir, "interrupted");
  const controller = new AbortController();
  // A terminal's master side: a port that opens and stays silent.
  const outcome = await run(rigAt("/dev/ptmx"), out, { signal: controller.signal, watcher: { stage: () => controller.abort() } });
  expect(outcome).toMatchObject({ dir: out, interrupted: true });
  expect(outcome.results.validity.find((each) => each.rule === "measured")).toMatchObject({ pass: false, level: "FAIL" });
  expect(JSON.parse(readFileSync(join(out, "session.json"), "utf8"))).toMatchObject({ state: "interrupted" });
});
