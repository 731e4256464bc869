import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Exit } from "../../src/session/child.ts";
import type { Holder } from "../../src/session/owner-lock.ts";
import { RigQueue } from "../../src/session/rig-queue.ts";
import { Supervisor } from "../../src/session/supervisor.ts";

/* Time and processes are data here; what they do with real ones is in test/e2e/daemon.paired.test.ts. */

let dir: string;
let now_s: number;
let holder: Holder | undefined;
let problem: string | undefined;
let started: { argv: readonly string[]; ended?: Exit; signals: string[] }[];
let supervisor: Supervisor;
let queue: RigQueue;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "joulebench-supervisor-"));
  [now_s, holder, problem, started] = [1_767_323_045, undefined, undefined, []];
  queue = new RigQueue(join(dir, "pi5"));
  supervisor = open();
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = (): Supervisor => {
  const child = (argv: readonly string[]) => {
    const process = {
      pid: 1,
      argv,
      signals: [] as string[],
      ended: undefined,
      kill: (signal: string) => void process.signals.push(signal),
    };
    started.push(process as never);
    return process;
  };
  return new Supervisor(join(dir, "pi5.yaml"), queue, {
    now_s: () => now_s,
    start: child,
    adopt: ({ pid }) => child([`adopted ${pid}`]),
    holder: () => holder,
    problem: () => problem,
    say: () => {},
  });
};

function put(name: string, age_s = 10): void {
  const path = join(queue.dir, "queue", name);
  writeFileSync(path, "repetitions: 2\n");
  utimesSync(path, now_s - age_s, now_s - age_s);
}
const outOf = (k: number): string => started[k]!.argv.at(-1)!;
/** Ends the latest process; `states` are those of its cells so far. */
function end(code: number | null, states: readonly string[], reason?: string): void {
  const out = outOf(started.length - 1);
  mkdirSync(join(out, "cells"), { recursive: true });
  writeFileSync(join(out, "plan.json"), JSON.stringify({ cells: [1, 2] }));
  const lines = states.map((state, k) => JSON.stringify({ state, cell: k + 1, id: `c${k}`, attempt: 1 }));
  writeFileSync(join(out, "progress.jsonl"), lines.map((line) => `${line}\n`).join(""));
  started.at(-1)!.ended = { code, at_s: now_s, ...(reason === undefined ? {} : { reason }) };
}
const filesIn = (name: string): string[] => readdirSync(join(queue.dir, name));

test("plans are taken in the order of their names, whole files only, and moved under the name of their folder", () => {
  put("20-b.yaml");
  put("10-a.yaml");
  put("05-copied.yaml", 1);
  writeFileSync(join(queue.dir, "queue", ".hidden.yaml"), "");
  supervisor.poll();
  expect(started[0]!.argv).toEqual(["run", join(dir, "pi5.yaml"), "--plan", join(queue.dir, "queue/10-a.yaml"), "--out", outOf(0)]);
  end(1, ["done", "invalid"]);
  supervisor.poll();
  expect(filesIn("done")).toEqual(["20260102-030405-10-a.yaml"]);
  expect(supervisor.verdict).toMatchObject({ complete: true, valid: false });
  expect(started[1]!.argv).toContain(join(queue.dir, "queue/20-b.yaml"));
});

test("what dies is started again in its folder, after pauses that double, and is set aside when nothing comes of it", () => {
  put("a.yaml");
  put("b.yaml");
  supervisor.poll();
  end(null, ["done", "started"]);
  supervisor.poll();
  expect([supervisor.state, supervisor.restarts]).toEqual(["waiting", 1]);
  for (const pause_s of [1, 2, 4, 8]) {
    now_s += pause_s - 0.5;
    const before = started.length;
    supervisor.poll();
    expect(started).toHaveLength(before);
    now_s += 0.5;
    supervisor.poll();
    expect(started.at(-1)!.argv.slice(-2)).toEqual(["--resume", outOf(0)]);
    end(3, ["done", "started"], "the meter is gone");
    supervisor.poll();
  }
  expect(filesIn("failed").toSorted()).toEqual(["20260102-030405-a.txt", "20260102-030405-a.yaml"]);
  expect(readFileSync(join(queue.dir, "failed/20260102-030405-a.txt"), "utf8")).toContain("the meter is gone; its process ended 5 times");
  expect(started.at(-1)!.argv).toContain(join(queue.dir, "queue/b.yaml"));
});

test("a disk that is full never costs a plan", () => {
  put("a.yaml");
  for (let k = 0; k < 12; k++) {
    supervisor.poll();
    end(4, ["started"]);
    supervisor.poll();
    now_s += 60;
  }
  expect(filesIn("failed")).toEqual([]);
});

test("a plan that cannot be used is failed at once, and a rig that cannot be used costs no plan", () => {
  put("a.yaml");
  problem = "rig.yaml: 1 problem";
  supervisor.poll();
  expect([supervisor.state, started.length]).toEqual(["broken", 0]);
  problem = undefined;
  now_s += 5;
  supervisor.poll();
  started[0]!.ended = { code: 2, at_s: now_s, reason: "a.yaml: line 1" };
  supervisor.poll();
  expect(readFileSync(join(queue.dir, "failed/20260102-030410-a.txt"), "utf8")).toBe("a.yaml: line 1\n");
});

test("another daemon goes on with the plan of before, and adopts a process that still measures it", () => {
  put("b.yaml");
  supervisor.poll();
  put("a.yaml");
  holder = { pid: 7, boot: "", started: "", out: outOf(0) };
  const out = outOf(0);
  const next = open();
  next.poll();
  expect(started[1]!.argv).toEqual(["adopted 7"]);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "plan.json"), JSON.stringify({ cells: [1] }));
  holder = undefined;
  started[1]!.ended = { code: null, at_s: now_s };
  next.poll();
  now_s += 1;
  next.poll();
  expect(started[2]!.argv.slice(-2)).toEqual(["--resume", out]);
});

test("a rig that somebody else uses is waited for", () => {
  put("a.yaml");
  holder = { pid: 7, boot: "", started: "", out: "elsewhere" };
  supervisor.poll();
  expect([supervisor.state, started.length, existsSync(join(queue.dir, "current.json"))]).toEqual(["held", 0, false]);
  holder = undefined;
  now_s += 5;
  supervisor.poll();
  expect(supervisor.state).toBe("measuring");
});

test("stopped, it ends its process and begins no other; the plan stays", () => {
  put("a.yaml");
  supervisor.poll();
  supervisor.stop();
  expect(started[0]!.signals).toEqual(["SIGTERM"]);
  end(130, ["interrupted"]);
  supervisor.poll();
  supervisor.poll();
  expect([supervisor.state, started.length, filesIn("queue")]).toEqual(["stopped", 1, ["a.yaml"]]);
});
