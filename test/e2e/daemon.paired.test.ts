import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { RigHealth } from "../../src/model/health.ts";
import { isLacking } from "../../src/session/backlog.ts";
import { Influxd } from "../sinks/influxd.ts";
import { scratch, workload, writeRig } from "./bench.ts";
import { joulebench, start } from "./joulebench.ts";

/* The built program under the daemon: what a kill of either costs, and what the database is told. */

const { dir, remove } = scratch();
const env = { XDG_STATE_HOME: join(dir, "state"), JOULEBENCH_HOST: "lab-1" };
let influxd: Influxd;
afterAll(async () => {
  await influxd.stop();
  remove();
});

const bench = join(dir, "rigs/test");
const daemon = (...args: string[]) => start(["daemon", "--rigs", "rigs", ...args], { cwd: dir, env });
const health = (): RigHealth => JSON.parse(readFileSync(join(bench, "health.json"), "utf8")) as RigHealth;
const sessionDir = (): string => join(bench, "sessions", readdirSync(join(bench, "sessions")).find((name) => !name.includes("."))!);
const progress = (): { state: string; id: string }[] => {
  const path = join(sessionDir(), "progress.jsonl");
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
};
const begun = (): number => progress().filter(({ state }) => state === "started").length;
const pidOf = (): number => {
  const locks = join(env.XDG_STATE_HOME, "joulebench");
  const lock = readdirSync(locks).find((name) => name.endsWith(".lock"))!;
  return (JSON.parse(readFileSync(join(locks, lock), "utf8")) as { pid: number }).pid;
};

test("a killed process, a killed daemon and an ended one cost no cell, and the database is told", async () => {
  influxd = await Influxd.start();
  mkdirSync(join(bench, "queue"), { recursive: true });
  const rig = writeRig(dir, { command: workload("--requests=5"), more: `sinks: { influx: { port: ${influxd.port} } }` });
  renameSync(rig, join(dirname(bench), "test.yaml"));
  const plan = join(bench, "queue/01.yaml");
  writeFileSync(plan, "baseline_s: 1\nafter_s: 0.5\nsettle_s: 0\npulses: false\nrequests: 5\nrepetitions: 2\n");
  utimesSync(plan, 0, 0);

  const first = daemon();
  await expect.poll(begun, { timeout: 20_000 }).toBe(1);
  const second = await joulebench(["daemon", "--rigs", "rigs"], { cwd: dir, env });
  expect([second.code, second.stderr]).toEqual([3, expect.stringMatching(/is supervised by the daemon with process \d+/)]);

  process.kill(pidOf(), "SIGKILL");
  await first.said("it is started again in 1 s");
  await expect.poll(begun, { timeout: 20_000 }).toBe(2);

  first.kill("SIGKILL");
  await first.ended;
  const third = daemon();
  await third.said("of an earlier daemon goes on with it");
  third.kill("SIGTERM");
  expect((await third.ended).code).toBe(130);
  expect(health().state).toBe("stopped");

  const last = await daemon("--drain").ended;
  expect([last.code, last.stderr]).toEqual([0, expect.stringContaining("01.yaml: done")]);
  const ended = progress().filter(({ state }) => state === "done" || state === "invalid");
  expect(new Set(ended.map(({ id }) => id)).size).toBe(2);
  expect(ended).toHaveLength(2);
  expect(readdirSync(join(bench, "done"))).toHaveLength(1);
  expect(health()).toMatchObject({ host: "lab-1", queued: 0 });
  const { offset_s, bound_s } = health().clock!;
  expect(Math.abs(offset_s)).toBeLessThanOrEqual(bound_s); // The database runs on this host.
  expect(bound_s).toBeLessThan(0.3);

  // What the killed session had not told is told by a daemon that has nothing else to do.
  const before_s = Date.now() / 1000;
  const idle = daemon();
  await expect.poll(() => health().at_s).toBeGreaterThan(before_s);
  const lacking = (): string[] =>
    readdirSync(join(sessionDir(), "cells")).filter((cell) => isLacking(join(sessionDir(), "cells", cell, "outbox")));
  await expect.poll(lacking, { timeout: 30_000 }).toEqual([]);
  idle.kill("SIGTERM");
  await idle.ended;
  expect(readFileSync(join(bench, "resend.log"), "utf8")).toMatch(/^(influx: .*(points sent|nothing waited).*\n)+$/);

  const status = await joulebench(["daemon", "--rigs", "rigs", "--status"], { cwd: dir, env });
  expect(status.stdout).toMatch(/bench +state +cell.*\n +test +stopped /);
  writeFileSync(join(bench, "health.json"), "{");
  const damaged = await joulebench(["daemon", "--rigs", "rigs", "--status"], { cwd: dir, env });
  expect([damaged.code, damaged.stdout, damaged.stderr]).toEqual([
    0,
    "",
    expect.stringContaining("no daemon has told of rigs yet; start one"),
  ]);
  const rows = await influxd.client().query<{ host: string; state: string; clock_bound_s: number | null }>("select * from health");
  expect(new Set(rows.map((row) => row.state))).toContain("measuring");
  expect(rows.some(({ clock_bound_s }) => clock_bound_s !== null)).toBe(true);
  expect(new Set(rows.map((row) => row.host))).toEqual(new Set(["lab-1"]));
});
