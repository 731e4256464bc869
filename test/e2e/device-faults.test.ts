import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { readSessionFile } from "../../src/store/session-file.ts";
import { TapeReader } from "../../src/store/tape-reader.ts";
import { faultsOf, readResults, scratch, workload, writeRig } from "./bench.ts";
import { type Ended, joulebench, start } from "./joulebench.ts";
import { freePort } from "./loopback.ts";

/*
 * What a device under test can do wrong, and Ctrl-C: real firmware in real time, a real child process. Whatever
 * happens, what was recorded is kept and analysed. The sessions run side by side; nothing here looks at power.
 */

interface Outcome extends Ended {
  readonly dir: string;
  readonly session: string;
  readonly results: Results;
}

const folders: { remove(): void }[] = [];
afterAll(() => {
  for (const each of folders) each.remove();
});

function prepare(command: readonly string[], more: { plan?: string; more?: string } = {}): { dir: string; rig: string; session: string } {
  const folder = scratch();
  folders.push(folder);
  return { dir: folder.dir, rig: writeRig(folder.dir, { command, ...more }), session: join(folder.dir, "session") };
}

async function run(command: readonly string[], more: { plan?: string; more?: string } = {}): Promise<Outcome> {
  const { dir, rig, session } = prepare(command, more);
  const ended = await sideBySide(() => joulebench(["run", rig, "--out", session], { cwd: dir }));
  return { ...ended, dir, session, results: readResults(session, ended) };
}

/** Emulators that run at once: more than the cores of a small machine can take in real time would only fall behind. */
const AT_ONCE = 3;
const lanes: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
let turn = 0;

/** Runs in one of a few lanes, after what was given to that lane before. */
function sideBySide<T>(act: () => Promise<T>): Promise<T> {
  const lane = turn++ % AT_ONCE;
  const result = lanes[lane]!.then(act);
  lanes[lane] = result.catch(() => undefined);
  return result;
}

const eventsOf = ({ session }: { session: string }, type: string): number =>
  readFileSync(join(session, "events.jsonl"), "utf8").split(`"type":"${type}"`).length - 1;

/** The session has all its files, and analyze gives the same results again. */
async function expectKept({ session, dir }: { session: string; dir: string }, state: "closed" | "interrupted"): Promise<void> {
  expect(readdirSync(session).sort()).toEqual(["events.jsonl", "results.json", "session.json", "tape"]);
  expect(readdirSync(join(session, "tape"))).toEqual(["000000.seg.gz"]);
  expect(readSessionFile(session).state).toBe(state);
  const written = readFileSync(join(session, "results.json"), "utf8");
  const again = await joulebench(["analyze", session, "--json"], { cwd: dir });
  expect(again.stdout).toBe(written);
}

describe.concurrent("side by side", () => {
  describe("a workload that", () => {
    test("answers no ping: it is said while measuring goes on, and fails for want of a common clock", async () => {
      const outcome = await run(workload("--fault=deaf"));
      expect(outcome.code).toBe(1);
      expect(outcome.stderr).toContain('device: answers no ping, so its events cannot be placed in time; it must answer "ping <id>" lines');
      expect(outcome.results.validity.filter((each) => !each.pass).map((each) => each.rule)).toContain("clocks");
      expect(eventsOf(outcome, "request_end")).toBe(3);
    });

    test("complains and ends with code 1: its complaint is shown, the request before it is kept", async () => {
      const outcome = await run(workload("--fault=exit"));
      expect(outcome.code).toBe(3);
      expect(outcome.stderr).toContain(
        "joulebench: the workload: ended with exit code 1; its standard error ends: CUDA error: out of memory\n",
      );
      expect(outcome.stderr).toContain(`session kept in ${outcome.session}`);
      expect(eventsOf(outcome, "request_end")).toBe(1);
      expect(outcome.results.measurements.filter((each) => each.name === "decode_energy")).toHaveLength(1);
      await expectKept(outcome, "interrupted");
    });

    test("never says that it is done is given up, with its requests kept", async () => {
      const outcome = await run(workload("--fault=hang"), {
        plan: "{ baseline_s: 1, after_s: 0.5, settle_s: 0, timeout_s: 3, pulses: false }",
      });
      expect(outcome.code).toBe(3);
      expect(outcome.stderr).toContain('the workload: neither said {"type":"done"} nor ended within 3 s; raise plan.timeout_s');
      expect(outcome.results.measurements.filter((each) => each.name === "decode_energy")).toHaveLength(3);
      await expectKept(outcome, "interrupted");
    });

    test("ends well without saying so is done, too", async () => {
      const outcome = await run(workload("--fault=leave", "--requests=5"));
      expect(outcome.stderr).not.toContain("joulebench:");
      expect(eventsOf(outcome, "request_end")).toBe(5);
      await expectKept(outcome, "closed");
    });

    test("prints lines of its own: they are counted, the first ones quoted without steering the terminal", async () => {
      const outcome = await run(workload("--fault=garbage", "--requests=5"));
      expect(faultsOf(outcome.results)).toMatchObject({ "device/unread_line": 5 });
      expect(outcome.stdout).toContain("unread_line");
      expect(outcome.stdout).toContain("llama_perf_context_print");
      expect(outcome.stdout + outcome.stderr).not.toMatch(/[^\P{Cc}\n]/u);
    });

    test("dies before its time has come ends the session at once", async () => {
      const outcome = await run(["ls", "/nowhere"], { plan: "{ baseline_s: 60 }" });
      expect(outcome.code).toBe(3);
      expect(outcome.stderr).toMatch(
        /the workload: ended with exit code 2 before it was told to start; its standard error ends: .*nowhere/,
      );
      expect(outcome.lasted_s).toBeLessThan(50);
      await expectKept(outcome, "interrupted");
    });

    test("is not there: exit code 2, and --out is free for the next attempt", async () => {
      const { dir, rig, session } = prepare(["no-such-program"]);
      const ended = await joulebench(["run", rig, "--out", session], { cwd: dir });
      expect([ended.code, ended.stdout]).toEqual([2, ""]);
      expect(ended.stderr).toContain("joulebench: no-such-program: command not found; install it or give its full path\n");
      expect(existsSync(session)).toBe(false);
    });
  });

  describe("Ctrl-C", () => {
    test("in the middle of the workload: exit code 130, everything kept", async () => {
      const { dir, rig, session } = prepare(workload("--requests=100"), { plan: "{ baseline_s: 1, pulses: false }" });
      const ended = await sideBySide(async () => {
        const running = start(["run", rig, "--out", session], { cwd: dir });
        await running.said("r2: ");
        running.kill("SIGINT");
        return running.ended;
      });
      expect(ended.code).toBe(130);
      expect(ended.stderr).toContain("stopping in order; once more to stop at once");
      const decoded = readResults(session, ended).measurements.filter((each) => each.name === "decode_energy" && each.value !== null);
      expect(decoded.length).toBeGreaterThanOrEqual(2);
      await expectKept({ dir, session }, "interrupted");
    });

    test("while a port is still being opened", async () => {
      const { dir, session } = prepare(workload());
      const rig = writeRig(dir, { port: "/dev/ptmx", command: workload() });
      const running = start(["run", rig, "--out", session], { cwd: dir });
      await running.said("opening the instruments");
      running.kill("SIGINT");
      expect((await running.ended).code).toBe(130);
      // It does not wait for what could still have come: a port has six seconds to answer.
      const last = [...new TapeReader(join(session, "tape")).records()].at(-1)!;
      expect(last.host_ns / 1e9).toBeLessThan(5);
    });

    test("twice ends at once; the tape holds what was measured", async () => {
      const { dir, rig, session } = prepare(workload("--requests=100"), { plan: "{ baseline_s: 1, pulses: false }" });
      const { code } = await sideBySide(async () => {
        const running = start(["run", rig, "--out", session], { cwd: dir });
        await running.said("r1: ");
        running.kill("SIGINT");
        await running.said("stopping in order");
        running.kill("SIGINT");
        return running.ended;
      });
      expect(code).toBe(130);
      const again = await joulebench(["analyze", session, "--json"], { cwd: dir });
      expect(JSON.parse(again.stdout)).toMatchObject({ format: 1 });
      expect(eventsOf({ session }, "request_end")).toBeGreaterThanOrEqual(1);
    });
  });

  describe("where results go", () => {
    test("a disk that has no room for a session: exit code 4 before anything is opened, and --out is free", async () => {
      const { dir, rig, session } = prepare(workload());
      const limited = { under: ["prlimit", "--fsize=40000"] };
      const ended = await sideBySide(() => joulebench(["run", rig, "--out", session], { cwd: dir, ...limited }));
      expect([ended.code, ended.stdout]).toEqual([4, ""]);
      expect(ended.stderr).toMatch(
        /joulebench: .*tape: cannot reserve space for the tape \(EFBIG.*\); free space or choose another --out\n$/,
      );
      expect(existsSync(session)).toBe(false);
    });

    test("a disk that refuses in mid-run: it goes on where it can, says what is missing, and does not call it valid", async () => {
      const more = { plan: "{ baseline_s: 1, after_s: 1, pulses: false }", more: "tape_reserve_mib: 0" };
      const { dir, rig, session } = prepare(workload("--requests=3"), more);
      // No file of this process may grow beyond this; the tape of the baseline alone is longer.
      const limited = { under: ["prlimit", "--fsize=12000"] };
      const ended = await sideBySide(() => joulebench(["run", rig, "--out", session], { cwd: dir, ...limited }));
      expect(ended.stderr).toMatch(/cannot write the tape \(EFBIG.*\): what comes now is counted and not kept; free space there/);
      expect(ended.stderr).toContain("recording; what was not kept is on the tape as a gap");
      // Its results are a larger file than it may write.
      expect([ended.code, ended.stdout]).toEqual([4, ""]);
      expect(readdirSync(join(session, "tape")).length).toBeGreaterThan(3);
      const again = await joulebench(["analyze", session, "--json"], { cwd: dir });
      expect(again.code).toBe(1);
      expect(faultsOf(JSON.parse(again.stdout) as Results)["tape/tape_missing"]).toBeGreaterThan(0);
      const verified = await joulebench(["verify", session], { cwd: dir });
      // On a busy machine the emulated bridge falls behind the clock; its counter has to add up all the same.
      expect([verified.code, verified.stdout]).toEqual([
        1,
        expect.stringMatching(/records .* adds up\n +meter\.main +counter .* adds up\n/),
      ]);
      expect(verified.stdout).toMatch(/missing: \d+ records from .* \(EFBIG/);
    });

    test("a database that is down disturbs nothing: exit code 4, and the session is complete", async () => {
      const port = await freePort();
      const outcome = await run(workload("--requests=5"), { more: `sinks: { influx: { host: 127.0.0.1, port: ${port} } }` });
      expect(outcome.code).toBe(4);
      expect(outcome.stderr).toMatch(/influx: .*127\.0\.0\.1.*ECONNREFUSED.*the measurement goes on/);
      expect(outcome.stderr).toMatch(/influx could not take \d+ points .*they are in the session folder/);
      expect(eventsOf(outcome, "request_end")).toBe(5);
      expect(faultsOf(outcome.results)).not.toHaveProperty("meter/lost_samples");
      await expectKept(outcome, "closed");
    });
  });
});
