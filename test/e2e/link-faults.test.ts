import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { readSessionFile } from "../../src/store/session-file.ts";
import { faultsOf, readResults, scratch, startBridge, startOwnBridge, workload, writeRig } from "./bench.ts";
import { joulebench, type Running, start } from "./joulebench.ts";

/* What can happen on the way between the bridge and joulebench, through a pseudo-terminal. */

interface Place {
  readonly dir: string;
  readonly session: string;
  readonly link: string;
}

type Finish = (end: () => void | Promise<void>) => void;

/** A folder of its own for each test. */
function place(onTestFinished: Finish): Place {
  const { dir, remove } = scratch();
  onTestFinished(remove);
  return { dir, session: join(dir, "session"), link: join(dir, "meter") };
}

const REQUESTS = 10;
const LONG = "{ baseline_s: 1, after_s: 1, settle_s: 0, timeout_s: 600, pulses: false }";

/** Starts measuring a workload of `requests` prompts at the port. */
function measure({ dir, session, link }: Place, requests: number): Running {
  const rig = writeRig(dir, { port: link, command: workload(`--requests=${requests}`), plan: LONG });
  return start(["run", rig, "--out", session], { cwd: dir });
}

/** Requests of which every phase counts, and those of which one is said not to, in order. */
function judged({ measurements }: Results): { valid: string[]; invalid: string[] } {
  const phases = measurements.filter((each) => each.name === "prefill_energy" || each.name === "decode_energy");
  const invalid = new Set(phases.filter(({ flags, value }) => value === null || flags.includes("INVALID")).map((each) => each.request));
  const all = [...new Set(phases.map((each) => each.request))];
  return { valid: all.filter((each) => !invalid.has(each)), invalid: all.filter((each) => invalid.has(each)) };
}

/** Before and after the gap there are requests that count, and only between them some that do not. */
function expectGap({ valid, invalid }: { valid: string[]; invalid: string[] }, requests: number): void {
  expect(valid.length + invalid.length).toBe(requests);
  expect(valid).toContain("r1");
  const number = (request: string): number => Number(request.slice(1));
  expect(invalid.length).toBeGreaterThan(0);
  expect(Math.max(...valid.map(number))).toBeGreaterThan(Math.min(...invalid.map(number)));
}

/** No phase without a flag is short of samples. */
function expectNothingSilent({ measurements }: Results): void {
  const short = measurements.filter((each) => ["decode_energy", "prefill_energy"].includes(each.name) && each.coverage < 0.99);
  expect(short.length).toBeGreaterThan(0);
  expect(short.filter((each) => each.flags.length === 0)).toEqual([]);
}

describe("in the middle of a run", () => {
  test("the bridge resets: a new epoch after a gap, requests that touch it are invalid, the run goes on", async ({ onTestFinished }) => {
    const here = place(onTestFinished);
    const bridge = await startOwnBridge(here.link);
    onTestFinished(() => bridge.stop());
    const running = measure(here, REQUESTS);
    await running.said("r2: ");
    bridge.reset();
    await running.said("meter: opened again");
    const ended = await running.ended;
    const results = readResults(here.session, ended);
    expect(ended.stderr).toMatch(/meter: .*restarted.*; opening it again, the gap is recorded/);
    expect(ended.stderr).not.toContain("joulebench:");
    expect(faultsOf(results)).toMatchObject({ "meter/link_failed": 1, "meter/link_reopened": 1 });
    expect(Object.keys(results.clocks)).toEqual(expect.arrayContaining(["meter/0", "meter/1"]));
    expectGap(judged(results), REQUESTS);
    expectNothingSilent(results);
    expect(results.summary.decode_energy_per_token?.n).toBe(judged(results).valid.length);
    expect(readSessionFile(here.session).state).toBe("closed");
  });

  test("the port vanishes and comes back: it is opened again, the gap is flagged", async ({ onTestFinished }) => {
    const here = place(onTestFinished);
    const first = await startBridge(here.link);
    onTestFinished(() => first.stop());
    const running = measure(here, REQUESTS);
    await running.said("r2: ");
    await first.stop();
    await running.said("opening it again, the gap is recorded");
    const second = await startBridge(here.link);
    onTestFinished(() => second.stop());
    await running.said("meter: opened again");
    const results = readResults(here.session, await running.ended);
    expect(faultsOf(results)).toMatchObject({ "meter/link_failed": 1, "meter/link_reopened": 1 });
    expectGap(judged(results), REQUESTS);
    expectNothingSilent(results);
    const again = await joulebench(["analyze", here.session, "--json"], { cwd: here.dir });
    expect(again.stdout).toBe(readFileSync(join(here.session, "results.json"), "utf8"));
  });

  test("the port vanishes for good: the run ends in its time, and what came before counts", async ({ onTestFinished }) => {
    const here = place(onTestFinished);
    const bridge = await startBridge(here.link);
    onTestFinished(() => bridge.stop());
    const running = measure(here, 6);
    await running.said("r2: ");
    await bridge.stop();
    const ended = await running.ended;
    const results = readResults(here.session, ended);
    expect(ended.code).toBe(1);
    expect(faultsOf(results)).toMatchObject({ "meter/link_failed": 1 });
    const { valid, invalid } = judged(results);
    expect([valid.includes("r1"), invalid.includes("r6")]).toEqual([true, true]);
    expect(results.validity.find((each) => each.rule === "requests")).toMatchObject({ pass: false, level: "FAIL" });
  });
});
