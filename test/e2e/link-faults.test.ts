import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { readSessionFile } from "../../src/store/session-file.ts";
import { type Pty, startPty } from "../ports/pty.ts";
import { faultsOf, readResults, scratch, startBridge, startOwnBridge, workload, writeRig } from "./bench.ts";
import { joulebench, start } from "./joulebench.ts";

/* What can happen on the way between the bridge and joulebench, through a pseudo-terminal. */

let folder: ReturnType<typeof scratch>;
let session: string;
let link: string;
beforeEach(() => {
  folder = scratch();
  session = join(folder.dir, "session");
  link = join(folder.dir, "meter");
});
afterEach(() => folder.remove());

const REQUESTS = 14;
const LONG = "{ baseline_s: 1, after_s: 1, settle_s: 0, timeout_s: 60 }";

/** Starts measuring a workload of `requests` prompts at the port. */
const measure = (requests: number) =>
  start(["run", writeRig(folder.dir, { port: link, command: workload(`--requests=${requests}`), plan: LONG }), "--out", session], {
    cwd: folder.dir,
  });

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
  test("the bridge resets: a new epoch after a gap, requests that touch it are invalid, the run goes on", async () => {
    const bridge = await startOwnBridge(link);
    try {
      const running = measure(REQUESTS);
      await running.said("r3: ");
      bridge.reset();
      await running.said("meter: opened again");
      const ended = await running.ended;
      const results = readResults(session, ended);
      expect(ended.stderr).toMatch(/meter: .*restarted.*; opening it again, the gap is recorded/);
      expect(faultsOf(results)).toMatchObject({ "meter/link_failed": 1, "meter/link_reopened": 1 });
      expect(Object.keys(results.clocks)).toEqual(expect.arrayContaining(["meter/0", "meter/1"]));
      expectGap(judged(results), REQUESTS);
      expectNothingSilent(results);
      expect(results.summary.decode_energy_per_token?.n).toBe(judged(results).valid.length);
      expect(ended.stderr).not.toContain("joulebench:");
      expect(readSessionFile(session).state).toBe("closed");
    } finally {
      await bridge.stop();
    }
  });

  test("the port vanishes and comes back: it is opened again, the gap is flagged", async () => {
    let bridge = await startBridge(link);
    try {
      const running = measure(REQUESTS);
      await running.said("r3: ");
      await bridge.stop();
      await running.said("opening it again, the gap is recorded");
      bridge = await startBridge(link);
      await running.said("meter: opened again");
      const results = readResults(session, await running.ended);
      expect(faultsOf(results)).toMatchObject({ "meter/link_failed": 1, "meter/link_reopened": 1 });
      expectGap(judged(results), REQUESTS);
      expectNothingSilent(results);
      const again = await joulebench(["analyze", session, "--json"], { cwd: folder.dir });
      expect(again.stdout).toBe(readFileSync(join(session, "results.json"), "utf8"));
    } finally {
      await bridge.stop();
    }
  });

  test("the port vanishes for good: the run ends in its time, and what came before counts", async () => {
    const bridge = await startBridge(link);
    const running = measure(8);
    await running.said("r3: ");
    await bridge.stop();
    const ended = await running.ended;
    const results = readResults(session, ended);
    expect(ended.code).toBe(1);
    expect(faultsOf(results)).toMatchObject({ "meter/link_failed": 1 });
    const { valid, invalid } = judged(results);
    expect([valid.includes("r1"), invalid.includes("r8")]).toEqual([true, true]);
    expect(results.validity.find((each) => each.rule === "requests")).toMatchObject({ pass: false, level: "FAIL" });
  });
});

describe("before a run", () => {
  let device: Pty;
  beforeEach(async () => {
    device = await startPty();
  });
  afterEach(() => device.stop());

  const runAt = async (port: string) => {
    const rig = writeRig(folder.dir, { port, command: workload() });
    return joulebench(["run", rig, "--out", session], { cwd: folder.dir });
  };

  test("the port does not exist: what to do, the ports there are, and nothing left behind", async () => {
    const { code, stdout, stderr } = await runAt("/dev/ttyNOWHERE0");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^joulebench: \/dev\/ttyNOWHERE0: does not exist; plug it in or correct the port in the rig\. /m);
    expect(existsSync(session)).toBe(false);
  });

  test("the port is a regular file", async () => {
    const { code, stderr } = await runAt(join(folder.dir, "rig.yaml"));
    expect(code).toBe(2);
    expect(stderr).toContain("rig.yaml: is not a serial port but a regular file; name one in the rig.");
    expect(existsSync(session)).toBe(false);
  });

  test("the port is held by another joulebench: who holds it", async () => {
    const first = start(["run", writeRig(folder.dir, { port: device.path, command: workload() }), "--out", join(folder.dir, "first")], {
      cwd: folder.dir,
    });
    await expect
      .poll(async () => (await runAt(device.path)).stderr)
      .toMatch(/is busy: held by .*\(pid \d+\)|is busy: another program holds it/);
    const { code } = await runAt(device.path);
    expect([code, existsSync(session)]).toEqual([3, false]);
    first.kill("SIGINT");
    expect((await first.ended).code).toBe(130);
  });

  test.each([
    [
      "something else that talks",
      () => device.tell("stream 20000"),
      /meter: no valid frame in 2 s at 1000000 Bd: received ".*"; is this port the bridge/,
    ],
    ["nobody", () => {}, /meter: no answer to "stop" in 6 s at 1000000 Bd: is this the bridge's port, and is the firmware flashed/],
    ["an echo", () => device.tell("echo"), /meter: no /],
  ])("at the port is %s: exit code 3, and its bytes are kept where there are any", async (name, act, message) => {
    act();
    const { code, stderr } = await runAt(device.path);
    expect(code).toBe(3);
    expect(stderr).toMatch(message);
    expect(existsSync(join(session, "tape"))).toBe(name !== "nobody");
  });
});
