import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { scratch, workload } from "../e2e/bench.ts";
import { joulebench } from "../e2e/joulebench.ts";
import { Influxd } from "../sinks/influxd.ts";

/*
 * Four hosts with five benches each write to one InfluxDB, side by side. Without meters: twenty emulated bridges in
 * real time are more than a small machine can do, and what is held against each other here is who said what.
 */

const HOSTS = ["lab-1", "lab-2", "lab-3", "lab-4"];
const BENCHES = ["a", "b", "c", "d", "e"];
const REQUESTS = 5;
const { dir, remove } = scratch();
let influxd: Influxd;

beforeAll(async () => {
  influxd = await Influxd.start();
  for (const host of HOSTS)
    for (const bench of BENCHES) {
      const folder = join(dir, host, bench);
      mkdirSync(join(folder, "queue"), { recursive: true });
      const device = `{ command: ${JSON.stringify(workload(`--requests=${REQUESTS}`))} }`;
      const sinks = `{ influx: { port: ${influxd.port} } }`;
      writeFileSync(join(dir, host, `${bench}.yaml`), `name: ${bench}\ninstruments: {}\ndevice: ${device}\nsinks: ${sinks}\n`);
      const plan = join(folder, "queue/01.yaml");
      writeFileSync(plan, `baseline_s: 0\nafter_s: 0\nsettle_s: 0\npulses: false\nrequests: ${REQUESTS}\nrepetitions: 2\n`);
      utimesSync(plan, 0, 0);
    }
});
afterAll(async () => {
  await influxd.stop();
  remove();
});

/** Events that the sessions of a bench kept. */
function kept(host: string, bench: string): number {
  const sessions = join(dir, host, bench, "sessions");
  const out = readdirSync(sessions).find((name) => !name.includes("."))!;
  const cells = join(sessions, out, "cells");
  const lines = (cell: string): number =>
    readFileSync(join(cells, cell, "events.jsonl"), "utf8")
      .trimEnd()
      .split("\n").length;
  return readdirSync(cells).reduce((sum, cell) => sum + lines(cell), 0);
}

test("twenty benches of four hosts in one InfluxDB: every event of each is there, once, under its own name", {
  timeout: 300_000,
}, async () => {
  const env = (host: string) => ({ XDG_STATE_HOME: join(dir, "state", host), JOULEBENCH_HOST: host });
  const daemons = HOSTS.map((host) => joulebench(["daemon", "--rigs", host, "--drain"], { cwd: dir, env: env(host), limit_ms: 280_000 }));
  for (const { code, stderr } of await Promise.all(daemons)) expect(code, stderr).toBe(0);

  const client = influxd.client();
  const counts = async (query: string): Promise<Record<string, number>> => {
    const rows = await client.query<{ host: string; rig: string; n: number }>(query);
    return Object.fromEntries(rows.map(({ host, rig, n }) => [`${host}/${rig}`, n]));
  };
  const names = HOSTS.flatMap((host) => BENCHES.map((bench) => [host, bench] as const));
  const expected = Object.fromEntries(names.map(([host, bench]) => [`${host}/${bench}`, kept(host, bench)]));
  expect(Math.min(...Object.values(expected))).toBeGreaterThan(2 * REQUESTS);
  expect(await counts("select count(session) as n from event group by host, rig")).toEqual(expected);
  const sessions = Object.fromEntries(names.map(([host, bench]) => [`${host}/${bench}`, 2]));
  expect(await counts("select count(valid) as n from summary group by host, rig")).toEqual(sessions);
  expect(Object.keys(await counts("select count(state) as n from health group by host, rig")).toSorted()).toEqual(
    Object.keys(expected).toSorted(),
  );
});
