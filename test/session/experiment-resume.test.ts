import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { parseExperiment } from "../../src/rig/parse-experiment.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { runExperiment } from "../../src/session/experiment.ts";
import { between, seeded } from "../../src/simulate/random.ts";

const CHILD = fileURLToPath(new URL("experiment-child.js", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "joulebench-experiment-"));
afterAll(() => rmSync(dir, { recursive: true }));

const RIG = `name: bench
instruments: { meter: { kind: bridge-ina219, emulated: bridge-ina219, shunt_ohm: 0.1 } }
measurand: meter.main
device: { command: [workload] }
`;
const PLAN = "axes: { baseline_s: [1, 2, 3, 4], after_s: [1, 2] }\nrepetitions: 3\nseed: 5\n";
const [planPath, rigPath] = [join(dir, "plan.yaml"), join(dir, "rig.yaml")];
writeFileSync(planPath, PLAN);
writeFileSync(rigPath, RIG);

/** Runs the queue in a process of its own. @param killAfter lines it may say before it is killed with SIGKILL */
async function queue(out: string, resume: boolean, killAfter = Number.POSITIVE_INFINITY): Promise<{ ended: boolean; complaint: string }> {
  const child = spawn(process.execPath, [CHILD, planPath, rigPath, out, ...(resume ? ["resume"] : [])]);
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  const gone = new Promise((resolve) => child.once("close", resolve));
  let [lines, ended] = [0, false];
  for await (const line of createInterface({ input: child.stdout })) {
    ended ||= line === "end";
    if (++lines === killAfter) child.kill("SIGKILL");
  }
  await gone;
  return { ended, complaint };
}

interface Line {
  readonly state: string;
  readonly id: string;
}
const linesOf = (out: string): Line[] =>
  readFileSync(join(out, "progress.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
const idsOf = (out: string, state: string): string[] => linesOf(out).flatMap((each) => (each.state === state ? [each.id] : []));
const text = (out: string, name: string): string => readFileSync(join(out, name), "utf8");

test("24 cells, killed ten times at any moment: each is measured once, in the same order, with the same results", {
  timeout: 120_000,
}, async () => {
  const whole = join(dir, "whole");
  expect(await queue(whole, false)).toEqual({ ended: true, complaint: "" });
  const order = (JSON.parse(text(whole, "plan.json")) as { cells: Line[] }).cells.map(({ id }) => id);
  expect(order).toHaveLength(24);
  expect(idsOf(whole, "done")).toEqual(order);

  const random = seeded(7);
  const killed = join(dir, "killed");
  for (let kill = 0; kill < 10; kill++) {
    const after = Math.floor(between(random, 1, 7));
    expect(await queue(killed, kill > 0, after)).toEqual({ ended: false, complaint: "" });
  }
  expect(await queue(killed, true)).toEqual({ ended: true, complaint: "" });
  expect(idsOf(killed, "done")).toEqual(order);
  expect(text(killed, "summary.json")).toBe(text(whole, "summary.json"));
  expect(text(killed, "plan.json")).toBe(text(whole, "plan.json"));
  // What was half measured is kept beside what was measured anew.
  const folders = readdirSync(join(killed, "cells"));
  const aside = folders.filter((name) => name.includes(".interrupted-"));
  expect(folders.filter((name) => !aside.includes(name)).toSorted()).toEqual(order.toSorted());
  expect(aside.length).toBeGreaterThan(3);
});

const open = (plan: string, rig: string, out: string, resume: boolean) => {
  const parsed = parseRig(rig, "rig.yaml");
  const measured: string[] = [];
  const outcome = runExperiment(parseExperiment(plan, "plan.yaml", parsed), parsed, {
    dir: out,
    resume,
    signal: new AbortController().signal,
    measure: async (_, { id }) => {
      measured.push(id);
      return { state: "invalid", reason: "a stand-in" };
    },
  });
  return { outcome, measured };
};

test("another plan or rig is refused, with what differs", async () => {
  const out = join(dir, "other");
  await open(PLAN, RIG, out, false).outcome;
  const refused = (plan: string, rig: string) => expect(open(plan, rig, out, true).outcome).rejects;
  await refused(PLAN.replace("seed: 5", "seed: 6"), RIG).toThrow(
    /was begun with another plan or rig: plan\.seed: was 5, is 6; take a new --out/,
  );
  await refused(`${PLAN}pause_s: 3\n`, RIG).toThrow(/plan\.pause_s: was absent, is 3/);
  await refused(PLAN, RIG.replace("0.1", "0.2")).toThrow(/rig\.instruments\.meter\.shunt_ohm: was 0\.1, is 0\.2/);
  const { outcome, measured } = open(`# only a comment more\n${PLAN}`, RIG, out, true);
  expect((await outcome).interrupted).toBe(false);
  expect(measured).toEqual([]);
});

test("a folder that holds something is not overwritten, and one that holds nothing is not resumed", async () => {
  const out = join(dir, "other");
  await expect(open(PLAN, RIG, out, false).outcome).rejects.toThrow(
    /already holds an experiment; go on with it by --resume, or choose another --out/,
  );
  await expect(open(PLAN, RIG, join(dir, "nowhere"), true).outcome).rejects.toThrow(
    /holds no plan\.json, so there is no experiment to resume/,
  );
  expect(existsSync(join(dir, "nowhere"))).toBe(false);
});

test("a line cut off by the end of the process is taken away; one that is damaged is told", async () => {
  const out = join(dir, "cut");
  await open("repetitions: 2", RIG, out, false).outcome;
  const progress = join(out, "progress.jsonl");
  const [first, ...rest] = text(out, "progress.jsonl").split("\n");
  writeFileSync(progress, `${first}\n${rest[0]}\n`);
  appendFileSync(progress, '{"state":"started","ce');
  const resumed = open("repetitions: 2", RIG, out, true);
  await resumed.outcome;
  expect(resumed.measured).toHaveLength(1);
  expect(idsOf(out, "invalid")).toHaveLength(2);
  writeFileSync(progress, `${first}\nnonsense\n`);
  await expect(open("repetitions: 2", RIG, out, true).outcome).rejects.toThrow(/line 2 is damaged/);
});
