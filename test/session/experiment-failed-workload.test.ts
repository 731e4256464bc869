import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseExperiment } from "../../src/rig/parse-experiment.ts";
import { Progress } from "../../src/rig/queue.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { runExperiment } from "../../src/session/experiment.ts";

const root = mkdtempSync(join(tmpdir(), "joulebench-failed-workload-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Runs a plan of one cell, whose workload is `script`. @returns what became of it */
async function progress(name: string, script: string): Promise<Progress[]> {
  const [dir, device] = [join(root, name), { command: ["sh", "-c", script] }];
  const rig = parseRig(JSON.stringify({ name: "bench", instruments: {}, device }), "rig.json");
  const plan = parseExperiment("baseline_s: 0\nsettle_s: 0\nafter_s: 0\ntimeout_s: 1\n", "plan.yaml", rig);
  await runExperiment(plan, rig, { dir, resume: false, signal: new AbortController().signal, watcher: {} });
  const lines = readFileSync(join(dir, "progress.jsonl"), "utf8").trimEnd().split("\n");
  return lines.map((line) => Progress.parse(JSON.parse(line)));
}

test.each([
  ["ended badly", `until [ "$line" = start ]; do read line; done; exit 1`, "ended with exit code 1"],
  ["took too long", "exec sleep 20", "nor ended within 1 s; raise plan.timeout_s"],
  ["ended before its time", "exit 1", "ended with exit code 1 before it was told to start"],
])("a workload that %s is no lost link: it is not measured again", async (name, script, says) => {
  const found = await progress(name, script);
  expect(found.map((each) => ("reason" in each && each.reason) || each.state)).toEqual(["started", expect.stringContaining(says)]);
  expect(found[1]).not.toHaveProperty("link_lost");
});
