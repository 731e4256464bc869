import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HEADLINES } from "../../src/cli/headlines.ts";
import { joulebench } from "../e2e/joulebench.ts";
import { examplesOf } from "./pages.ts";

const PAGE = "docs/first-bench.md";
const cwd = mkdtempSync(join(tmpdir(), "joulebench-first-"));
const example = (info: string): string => examplesOf(PAGE).findLast((each) => each.info === info)!.text;

beforeAll(() => {
  mkdirSync(join(cwd, "rigs"));
  writeFileSync(join(cwd, "rigs/pi5.yaml"), example("yaml"));
  writeFileSync(join(cwd, "answers.yaml"), example("yaml experiment"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe("the walk over ssh", () => {
  test("the rig and the plan give the queue that the page shows", async () => {
    const { code, stdout } = await joulebench(["run", "rigs/pi5.yaml", "--plan", "answers.yaml", "--dry-run"], { cwd });
    expect(code).toBe(0);
    expect(stdout.trimEnd()).toBe(example("text dry run"));
  });

  test("the summary is of the form that the program gives it", () => {
    const [blocks, unmeasured] = example("text summary").split("\n\nWithout a valid session:\n");
    const [head, columns, ...rows] = blocks!.split("\n");
    expect(head).toMatch(/^workload\.output_tokens 16 \(2 valid sessions\)$/);
    expect(columns!.trim().split(/ {2,}/)).toEqual(["mean ± U", "spread", "n"]);
    const labels = rows.map((row) => /^ {2}(.+?) {2,}[\d.]+ ± [\d.]+ {2}\S+ +\S+ {2}2$/.exec(row)?.[1]);
    expect(labels.length).toBeGreaterThan(3);
    for (const label of labels) expect(HEADLINES.map(([, each]) => each)).toContain(label);
    expect(unmeasured).toMatch(/^ {2}0001-output-tokens-64_rep1 {2}invalid {2}not valid: clocks, clock_rates$/);
  });
});
