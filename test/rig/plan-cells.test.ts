import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isExperiment } from "../../src/rig/experiment.ts";
import { rigOf } from "../../src/rig/resolve.ts";
import { storedRig } from "../../src/rig/rig.ts";
import { experiment, rigWith } from "./plan-engine.ts";

const GRID = `workload: { kind: fixed, prompt_tokens: 64, output_tokens: 32, count: 5 }
axes:
  engine.model: [models/a.gguf, models/b.gguf]
  engine.threads: [1, 2]
repetitions: 2
`;
const dir = mkdtempSync(join(tmpdir(), "joulebench-plan-"));
afterAll(() => rmSync(dir, { recursive: true }));

describe("the cells of a plan", () => {
  const given = experiment(`${GRID}order: given\n`).cells;

  test("are the product of its axes, the last one fastest, round by round", () => {
    expect(given.map(({ id }) => id)).toEqual([
      "0001-model-a.gguf_threads-1_rep1",
      "0002-model-a.gguf_threads-2_rep1",
      "0003-model-b.gguf_threads-1_rep1",
      "0004-model-b.gguf_threads-2_rep1",
      "0005-model-a.gguf_threads-1_rep2",
      "0006-model-a.gguf_threads-2_rep2",
      "0007-model-b.gguf_threads-1_rep2",
      "0008-model-b.gguf_threads-2_rep2",
    ]);
    expect(given[3]!.values).toEqual({ "engine.model": "models/b.gguf", "engine.threads": 2 });
  });

  test("have the hash of their parameters, which repetitions share", () => {
    expect(new Set(given.map(({ hash }) => hash)).size).toBe(4);
    for (const cell of given.slice(0, 4)) expect(given[cell.index + 3]!.hash).toBe(cell.hash);
    expect(given[0]!.hash).toMatch(/^[0-9a-f]{8}$/);
    const again = experiment(`# a comment\n${GRID}order: random\nseed: 7\n`).cells;
    expect(new Set(again.map(({ hash }) => hash))).toEqual(new Set(given.map(({ hash }) => hash)));
  });

  test("take the rig's engine for what the plan leaves out, and its defaults for what both do", () => {
    const rig = rigWith("engine: { kind: paper, model: rig.gguf, threads: 3, context: 4096 }");
    const [cell] = experiment("workload: { kind: fixed, prompt_tokens: 1, output_tokens: 1 }\nengine: { threads: 8 }", rig).cells;
    expect(cell!.engine).toEqual({ kind: "paper", parser: "jsonl", options: { model: "rig.gguf", threads: 8, context: 4096 } });
  });

  test("give the session the rig it needs, which parses to itself", () => {
    const rig = rigWith();
    const made = rigOf(rig, given[1]!);
    expect(made).toMatchObject({
      plan: { requests: 5, baseline_s: 10 },
      device: { engine: { kind: "paper", model: "models/a.gguf", threads: 2 }, events: "jsonl" },
    });
    expect(storedRig(JSON.parse(JSON.stringify(made)), "session.json")).toEqual(made);
  });

  test("may differ in the keys of the session, and in what their workload reads", () => {
    writeFileSync(join(dir, "one.jsonl"), '{"prompt":"a"}\n');
    writeFileSync(join(dir, "two.jsonl"), '{"prompt":"a"}\n{"id":"long","prompt":"b","output_tokens":9}\n');
    const text = "workload: { kind: prompts }\naxes: { workload.file: [one.jsonl, two.jsonl], baseline_s: [1, 2] }\norder: given";
    const plan = experiment(text, rigWith(), join(dir, "plan.yaml"));
    expect(plan.cells.map(({ id, session }) => [id, session.requests, session.baseline_s])).toEqual([
      ["0001-file-one.jsonl_baseline-s-1", 1, 1],
      ["0002-file-one.jsonl_baseline-s-2", 1, 2],
      ["0003-file-two.jsonl_baseline-s-1", 2, 1],
      ["0004-file-two.jsonl_baseline-s-2", 2, 2],
    ]);
    expect(plan.cells[3]!.items.prompts).toEqual([{ prompt: "a" }, { id: "long", prompt: "b", output_tokens: 9 }]);
    expect(Object.keys(plan.files)).toEqual(["one.jsonl", "two.jsonl"]);
  });

  test("have names that every file system takes, whatever the values are", () => {
    const values = ["../../etc", "a b", "$(x)", "-rf", "ü", "x".repeat(300), "..", "\n", "Ω/"].map((each) => JSON.stringify(each));
    const text = `workload: { kind: fixed, prompt_tokens: 1, output_tokens: 1 }\naxes:\n  engine.model: [${values.join(", ")}]\n  workload.output_tokens: [1, 2]\n`;
    for (const { id } of experiment(text).cells) expect(id).toMatch(/^\d{4}-model-[A-Za-z0-9.+-]+_output-tokens-[12]$/);
    const names = experiment(text).cells.map(({ id }) => id);
    expect(new Set(names).size).toBe(names.length);
    expect(names.join()).not.toMatch(/-\.|\.\.|\/|_-/);
  });
});

test("a plan of session keys alone is one session, and anything more an experiment", () => {
  expect([undefined, null, {}, { baseline_s: 3, requests: 5 }].map(isExperiment)).toEqual([false, false, false, false]);
  expect([{ repetitions: 2 }, { workload: {} }, { basline_s: 3 }].map(isExperiment)).toEqual([true, true, true]);
});
