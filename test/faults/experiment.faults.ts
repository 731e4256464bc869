import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { ExperimentSummary } from "../../src/session/experiment-summary.ts";
import { between, seeded } from "../../src/simulate/random.ts";
import { ownState, scratch, workload, writeRig } from "../e2e/bench.ts";
import { start } from "../e2e/joulebench.ts";

/*
 * An experiment of whole sessions, each with the emulated bridge in real time, killed at any moment: what it comes to is
 * held against one that nobody killed. Cells that measure nothing do the same in the tests, in a hundredth of the time.
 */

const KILLS = 10;
const { dir, remove } = scratch();
const state = ownState(dir);
afterAll(() => {
  state.restore();
  remove();
});

const rig = writeRig(dir, { command: workload("--requests=5") });
writeFileSync(
  join(dir, "plan.yaml"),
  "after_s: 0.5\nsettle_s: 0\npulses: false\nrequests: 5\naxes: { baseline_s: [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2] }\nrepetitions: 3\nseed: 5\n",
);

/** @param after pieces of its progress that it may tell before it is killed with SIGKILL */
async function run(
  args: readonly string[],
  after = Number.POSITIVE_INFINITY,
): Promise<{ code: number | null; stderr: string; stdout: string }> {
  let pieces = 0;
  const says = (): void => {
    if (++pieces === after) running.kill("SIGKILL");
  };
  const running = start(["run", rig, "--plan", "plan.yaml", ...args], { cwd: dir, limit_ms: 600_000, says });
  return running.ended;
}

const summaryOf = (out: string): ExperimentSummary => JSON.parse(readFileSync(join(dir, out, "summary.json"), "utf8"));
const linesOf = (out: string): { state: string; id: string }[] =>
  readFileSync(join(dir, out, "progress.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("24 sessions, killed ten times: each cell once, in the same order, with the same results", { timeout: 1_200_000 }, async () => {
  expect(await run(["--out", "whole"])).toMatchObject({ code: 0 });
  const { order, groups } = summaryOf("whole");
  expect(order).toHaveLength(24);

  const random = seeded(7);
  for (let kill = 0; kill < KILLS; kill++) {
    const { code, stderr } = await run(kill === 0 ? ["--out", "killed"] : ["--resume", "killed"], Math.floor(between(random, 4, 40)));
    expect(code, stderr).toBeNull();
  }
  const { code, stderr } = await run(["--resume", "killed"]);
  expect(code, stderr).toBe(0);

  const done = linesOf("killed").flatMap(({ state, id }) => (state === "done" ? [id] : []));
  expect(done).toEqual(order);
  const killed = summaryOf("killed");
  expect(killed.order).toEqual(order);
  expect(killed.unmeasured).toEqual([]);
  const aside = readdirSync(join(dir, "killed/cells")).filter((name) => name.includes(".interrupted-"));
  expect(aside.length).toBeGreaterThan(KILLS / 2);
  for (const [k, group] of killed.groups.entries()) {
    const [mine, other] = [group.quantities.decode_energy_per_token!, groups[k]!.quantities.decode_energy_per_token!];
    expect(group.hash).toBe(groups[k]!.hash);
    expect(mine.n).toBe(3);
    expect(Math.abs(mine.value - other.value)).toBeLessThan(Math.hypot(mine.expanded_uncertainty, other.expanded_uncertainty));
  }
  const shift = killed.groups.map(
    ({ quantities }, k) => quantities.decode_energy_per_token!.value / groups[k]!.quantities.decode_energy_per_token!.value - 1,
  );
  console.log(
    `killed ${KILLS} times: decode energy per token moved by at most ${(Math.max(...shift.map(Math.abs)) * 100).toFixed(2)} %; ${aside.length} cells set aside`,
  );
});
