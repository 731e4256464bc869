import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { JoulebenchError } from "../../src/model/errors.ts";
import { parseExperiment } from "../../src/rig/parse-experiment.ts";
import { parseRig } from "../../src/rig/rig.ts";
import type { CellOutcome } from "../../src/session/cell.ts";
import { type ExperimentWatcher, runExperiment } from "../../src/session/experiment.ts";

const root = mkdtempSync(join(tmpdir(), "joulebench-queue-"));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;

const rig = parseRig(
  `name: bench
instruments: { meter: { kind: bridge-ina219, emulated: bridge-ina219, shunt_ohm: 0.1 } }
measurand: meter.main
device: { command: [workload] }
`,
  "rig.yaml",
);
const PLAN = parseExperiment("axes: { baseline_s: [1, 2, 3] }\nrepetitions: 2\norder: given\n", "plan.yaml", rig);
const lost = new JoulebenchError("link", "device", "was lost");

/** Runs the plan. @param outcomes by cell and attempt, from 1; all others are done */
async function queue(
  outcomes: Readonly<Record<string, CellOutcome>>,
  given: { dir?: string; watcher?: ExperimentWatcher; plan?: typeof PLAN } = {},
) {
  const { dir = join(root, String(made++)), watcher = {}, plan = PLAN } = given;
  const attempts = new Map<number, number>();
  const asked: string[] = [];
  const controller = new AbortController();
  const outcome = await runExperiment(plan, rig, {
    dir,
    resume: given.dir !== undefined,
    signal: controller.signal,
    watcher,
    measure: async (_, { index }, folder) => {
      const attempt = (attempts.get(index) ?? 0) + 1;
      attempts.set(index, attempt);
      asked.push(`${index}.${attempt}`);
      mkdirSync(folder);
      const summary = { ttft: { value: index, unit: "s", expanded_uncertainty: 0.1, k: 2, n: 5 } };
      writeFileSync(
        join(folder, "results.json"),
        JSON.stringify({
          summary,
          budget: {
            ttft: [
              { component: "gain", u: 0.2, dof: null },
              { component: "repeats", u: 9, dof: 4 },
            ],
          },
        }),
      );
      const result = outcomes[`${index}.${attempt}`] ?? { state: "done" };
      if (result.state === "interrupted") controller.abort();
      return result;
    },
  });
  const progress = readFileSync(join(dir, "progress.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { dir, outcome, asked, progress };
}

test("a lost link is tried once more at the end of the queue, recorded, and then let be", async () => {
  const { outcome, asked, dir, progress } = await queue({
    "2.1": { state: "failed", reason: "was lost", error: lost },
    "4.1": { state: "failed", reason: "was lost", error: lost },
    "4.2": { state: "failed", reason: "was lost", error: lost },
  });
  expect(asked).toEqual(["1.1", "2.1", "3.1", "4.1", "5.1", "6.1", "2.2", "4.2"]);
  expect(outcome).toMatchObject({ interrupted: false, failures: [lost] });
  expect(outcome.summary.unmeasured).toEqual([{ cell: PLAN.cells[3]!.id, state: "failed", reason: "was lost" }]);
  expect(progress.filter(({ link_lost }) => link_lost).map(({ cell, attempt }) => [cell, attempt])).toEqual([
    [2, 1],
    [4, 1],
    [4, 2],
  ]);
  expect(readdirSync(join(dir, "cells")).filter((name) => name.includes(".failed-"))).toEqual(
    [2, 4].map((n) => `${PLAN.cells[n - 1]!.id}.failed-1`),
  );
});

test("what fails otherwise is not tried again, and the queue goes on", async () => {
  const error = new JoulebenchError("config", "workload", "command not found");
  const { outcome, asked } = await queue({
    "1.1": { state: "failed", reason: error.message, error },
    "2.1": { state: "invalid", reason: "not measured: too warm" },
  });
  expect(asked).toEqual(["1.1", "2.1", "3.1", "4.1", "5.1", "6.1"]);
  expect(outcome.summary.unmeasured.map(({ state }) => state)).toEqual(["failed", "invalid"]);
});

test("a disk that takes no results stops the queue, which goes on at the same cell", async () => {
  const error = new JoulebenchError("sink", "tape", "cannot be written (ENOSPC)");
  const first = await queue({ "3.1": { state: "failed", reason: error.message, error } });
  expect(first.asked).toEqual(["1.1", "2.1", "3.1"]);
  expect(first.outcome.failures).toEqual([error]);
  const second = await queue({}, { dir: first.dir });
  expect(second.asked).toEqual(["3.1", "4.1", "5.1", "6.1"]);
  expect(second.outcome.summary.unmeasured).toEqual([]);
});

test("an interrupted cell is measured again, and its folder kept", async () => {
  const first = await queue({ "2.1": { state: "interrupted" } });
  expect(first.outcome.interrupted).toBe(true);
  expect(first.outcome.summary.unmeasured).toHaveLength(5);
  const second = await queue({}, { dir: first.dir });
  expect(second.asked).toEqual(["2.1", "3.1", "4.1", "5.1", "6.1"]);
  expect(existsSync(join(first.dir, "cells", `${PLAN.cells[1]!.id}.interrupted-1`))).toBe(true);
});

test("the summary has the mean of repetitions with Student's interval, by parameters", async () => {
  const { outcome, dir } = await queue({ "6.1": { state: "invalid", reason: "not valid: samples" } });
  const [one, , three] = outcome.summary.groups;
  expect(one).toMatchObject({ values: { baseline_s: 1 }, cells: [PLAN.cells[0]!.id, PLAN.cells[3]!.id] });
  expect(one!.quantities.ttft).toMatchObject({ value: 2.5, unit: "s", n: 2, values: [1, 4] });
  // Cells 1 and 4: mean 2.5, s = 2.1213, u = s / sqrt(2) = 1.5; t(0.97725, 1) = 13.968.
  expect(one!.quantities.ttft!.spread).toBeCloseTo(13.968 * 1.5, 1);
  // With the gain, which both share: u = sqrt(1.5² + 0.2²), and by Welch and Satterthwaite (1.5133 / 1.5)^4 = 1.036 degrees.
  expect(one!.quantities.ttft!.k).toBeGreaterThan(12.5);
  expect(one!.quantities.ttft!.k).toBeLessThan(13.968);
  expect(one!.quantities.ttft!.expanded_uncertainty / one!.quantities.ttft!.k).toBeCloseTo(Math.hypot(1.5, 0.2), 9);
  // A single one has its own.
  expect(three!.quantities.ttft).toMatchObject({ value: 3, n: 1, expanded_uncertainty: 0.1, k: 2, spread: null });
  expect(JSON.parse(readFileSync(join(dir, "summary.json"), "utf8"))).toEqual(JSON.parse(JSON.stringify(outcome.summary)));
});

test("the time left is told from the cells that were measured", async () => {
  const told: (number | undefined)[] = [];
  await queue({}, { watcher: { cell: (_, { cells, left_s }) => void told.push(cells, left_s) } });
  expect(told.filter((_, i) => i % 2 === 0)).toEqual([6, 5, 4, 3, 2, 1]);
  expect(told[1]).toBeUndefined();
  expect(told.at(-1)).toBeGreaterThanOrEqual(0);
});
