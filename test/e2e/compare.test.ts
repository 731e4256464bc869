import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT, scratch } from "./bench.ts";
import { joulebench } from "./joulebench.ts";

const { dir, remove } = scratch();
const run = (...args: string[]) => joulebench(args, { cwd: dir });

beforeAll(async () => {
  const files = join(dir, "files");
  cpSync(join(ROOT, "docs/examples/generic"), files, { recursive: true });
  await run("import", "generic", files, "--out", "a");
  const power = join(files, "power.csv");
  const [head, ...rows] = readFileSync(power, "utf8").trim().split("\n");
  const doubled = rows.map((row) => {
    const [time, ...columns] = row.split(",");
    return [time, String(2 * Number(columns[0])), ...columns.slice(1)].join(",");
  });
  writeFileSync(power, `${[head, ...doubled].join("\n")}\n`);
  await run("import", "generic", files, "--out", "b");
  await run("import", "eembc", join(ROOT, "test/realdata/mlperf-tiny-v1.0-U575-ic"), "--out", "units");
}, 60_000);
afterAll(remove);

test("ratios of every quantity to the first session's, as a table and as one JSON document", async () => {
  const { stdout } = await run("compare", "a", "b", "--json");
  const { comparisons } = JSON.parse(stdout);
  expect(comparisons).toMatchObject([{ dir: "b", same_instrument: false }]);
  const ratio = (name: string) => comparisons[0].ratios.find((each: { name: string }) => each.name === name);
  expect(ratio("decode_energy_per_token").ratio).toBeCloseTo(2, 9);
  expect(ratio("ttft").ratio).toBeCloseTo(1, 9);
  expect(ratio("decode_energy_per_token").cancelled).toEqual([]);
  const table = (await run("compare", "a", "b")).stdout;
  expect(table).toMatch(/decode per token +\S+ +\S+ +J\/token +2\.0\d* ± /);
  expect(table).toContain("nothing cancels");
  for (const line of table.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("sessions that say nothing about each other are refused", async () => {
  const { code, stdout, stderr } = await run("compare", "a", "units");
  expect(stderr).toMatch(/units: has no quantity of work in common with a: the one measured unit_.*, the other /);
  expect([code, stdout]).toEqual([2, ""]);
  expect((await run("compare", "a", "a")).stderr).toContain("is the same session");
});
