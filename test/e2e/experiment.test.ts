import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { ExperimentSummary } from "../../src/session/experiment-summary.ts";
import { ownState, scratch, workload, writeRig } from "./bench.ts";
import { joulebench, start } from "./joulebench.ts";

const { dir, remove } = scratch();
const state = ownState(dir);
afterAll(() => {
  state.restore();
  remove();
});

const rig = writeRig(dir, { command: workload("--requests=5") });
writeFileSync(
  join(dir, "plan.yaml"),
  `after_s: 0.5
settle_s: 0
pulses: false
requests: 5
axes: { baseline_s: [1, 1.5] }
repetitions: 2
preflight: [load]
settings: [{ set: [touch, ${join(dir, "set")}], restore: [rm, ${join(dir, "set")}] }]
`,
);
const run = (...args: string[]) => start(["run", rig, "--plan", "plan.yaml", ...args], { cwd: dir });
const lines = (): { state: string; id: string }[] =>
  readFileSync(join(dir, "out/progress.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("an experiment is told, interrupted, resumed, and summarised; nobody else gets the rig meanwhile", async () => {
  const told = await run("--dry-run").ended;
  expect([told.code, told.stderr]).toEqual([0, ""]);
  const order = [...told.stdout.matchAll(/^ {2}(0\S+)/gm)].map((match) => match[1]!);
  expect(order).toHaveLength(4);
  expect(told.stdout).toContain("4 cells, in this order");
  const queue = JSON.parse((await run("--dry-run", "--json").ended).stdout);
  expect(queue.cells.map(({ id }: { id: string }) => id)).toEqual(order);
  expect(queue.cells[0]).toMatchObject({ index: 1, least_s: expect.any(Number), most_s: expect.any(Number) });
  expect(existsSync(join(dir, "out"))).toBe(false);

  const first = run("--out", "out");
  await first.said("3 of 4 left, about");
  await expect.poll(() => existsSync(join(dir, "set"))).toBe(true);
  const second = await joulebench(["run", rig, "--out", "other"], { cwd: dir });
  expect(second.code).toBe(3);
  expect(second.stderr).toMatch(/rig\.yaml: is held by process \d+, which measures into out; wait until it is done, or end it/);
  first.kill("SIGINT");
  const interrupted = await first.ended;
  expect(interrupted.code, interrupted.stderr).toBe(130);
  expect(interrupted.stderr).toContain("--resume out");
  expect(existsSync(join(dir, "set"))).toBe(false);

  const resumed = await run("--resume", "out", "--json").ended;
  const summary = JSON.parse(resumed.stdout) as ExperimentSummary;
  expect(summary.order).toEqual(order);
  const ended = lines().filter(({ state }) => state === "done" || state === "invalid");
  expect(ended.map(({ id }) => id)).toEqual(order);
  expect(readdirSync(join(dir, "out/cells")).filter((name) => name.endsWith(".interrupted-1"))).toHaveLength(1);
  expect(summary.groups.map(({ values }) => values)).toEqual(expect.arrayContaining([{ baseline_s: 1 }, { baseline_s: 1.5 }]));
  expect(summary.unmeasured, resumed.stderr).toEqual([]);
  expect(resumed.code).toBe(0);
  for (const { quantities } of summary.groups) expect(quantities.decode_energy_per_token).toMatchObject({ n: 2, unit: "J/token" });

  // Cells are sessions as any others.
  const [one, two] = order.map((id) => join("out/cells", id)) as [string, string];
  const compared = await joulebench(["compare", one, two, "--json"], { cwd: dir });
  expect(JSON.parse(compared.stdout).comparisons[0].same_instrument).toBe(true);
  const again = await joulebench(["analyze", one, "--json"], { cwd: dir });
  expect(again.stdout).toBe(readFileSync(join(dir, one, "results.json"), "utf8"));
  expect(JSON.parse(readFileSync(join(dir, one, "session.json"), "utf8"))).toMatchObject({
    identities: { preflight: { load: expect.any(String) } },
  });
});

test("what cannot be resumed is told", async () => {
  const session = await joulebench(["run", rig, "--resume", "out"], { cwd: dir });
  expect([session.code, session.stderr]).toEqual([
    2,
    expect.stringContaining("asks for one session, which cannot be resumed; name the experiment's --plan"),
  ]);
  const nowhere = await run("--resume").ended;
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining("which folder is to be resumed? Name it: --resume DIR")]);
});
