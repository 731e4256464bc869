import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseExperiment } from "../../src/rig/parse-experiment.ts";
import { experiment, problemsIn, rigWith } from "./plan-engine.ts";

const FIXED = "workload: { kind: fixed, prompt_tokens: 64, output_tokens: 64 }\n";
const dir = mkdtempSync(join(tmpdir(), "joulebench-plan-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("a plan with several mistakes tells all of them, each cell's too, in the order of its lines", () => {
  const text = `baseline_s: ten
workload:
  kind: fixed
  prompt_tokens: 64
  output_tokens: 0
axes:
  engine.thread: [1, 2]
  pause_s: [0, soon]
  seed: [1, 2]
repetition: 3
cool_down: { zone: cpu }
`;
  // An axis that cannot be one keeps its cells from being made, so they are judged once it is gone.
  expect(problemsIn(() => experiment(text))).toEqual([
    "plan.yaml: 1 problem",
    "  line 9: axes.seed: says how cells are made, so it cannot differ between them",
  ]);
  expect(problemsIn(() => experiment(text.replace("  seed: [1, 2]\n", "")))).toEqual([
    "plan.yaml: 5 problems",
    '  line 1: baseline_s: expected a number, found "ten"',
    "  line 5: workload.output_tokens: expected more than 0, found 0",
    '  line 8: axes.pause_s.1: pause_s = "soon": expected a number, found "soon"',
    "  line 9: repetition: unknown key; is it misspelt?",
    "  line 10: cool_down: expected at least one of below_degc, within_degc_of_start, slope_degc_per_min",
  ]);
});

test("a second load or a setting whose program begins with a dash is a mistake of the plan", () => {
  const text = `${FIXED}interference: { argv: [-n, x] }\nsettings: [{ set: [-rf], restore: [x] }]\n`;
  expect(problemsIn(() => experiment(text))).toEqual([
    "plan.yaml: 2 problems",
    expect.stringMatching(/line 2: interference\.argv: expected a program first, not a dash/),
    expect.stringMatching(/line 3: settings\.0\.set: expected a program first, not a dash/),
  ]);
});

test("what an engine could never answer is a mistake of the plan", () => {
  const plan = (engine: string, workload: string): string => `engine: { ${engine} }\nworkload: { ${workload} }\n`;
  const told = (engine: string, workload: string): string =>
    problemsIn(() => parseExperiment(plan(engine, workload), "plan.yaml", rigWith())).join("\n");
  const fixed = "kind: fixed, prompt_tokens: 8, output_tokens: 4";
  expect(told("kind: llama-completion, model: a.gguf", fixed)).toMatch(/line 2: workload: .*cannot take a request without a prompt/);
  expect(told("kind: llama-bench, model: a.gguf", "kind: prompts, prompts: [x]")).toMatch(/line 2: workload: .*it takes lengths alone/);
  expect(told("kind: llama-server, model: a.gguf, endpoint: chat", fixed)).toMatch(/line 2: workload: .*the chat endpoint takes messages/);
  expect(told("kind: command, argv: [run, '{prompt}']", fixed)).toMatch(/line 2: workload: .*has no prompt, but its command line says/);
  expect(told("kind: app, events: { file: a }, request: [go, '{output_tokens}']", "kind: prompts, prompts: [x]")).toMatch(
    /has no output_tokens/,
  );
});

describe("an impossible cell is found before anything runs, and named", () => {
  test.each<[string, string, RegExp]>([
    [
      "an engine key that does not exist",
      `${FIXED}axes: { engine.thread: [2] }`,
      /line 2: axes\.engine\.thread\.0: engine\.thread = 2: unknown key/,
    ],
    [
      "an axis value of the wrong type",
      `${FIXED}axes: { engine.threads: [2, two] }`,
      /line 2: axes\.engine\.threads\.1: engine\.threads = "two": expected a number, found "two"/,
    ],
    [
      "a prompt longer than the context",
      `${FIXED}engine: { context: 512 }\naxes: { workload.prompt_tokens: [256, 449] }`,
      /^plan\.yaml: 1 problem\n {2}line 3: axes\.workload\.prompt_tokens\.1: .*449 prompt and 64 output tokens do not fit into a context of 512$/,
    ],
    ["no such engine", `${FIXED}engine: { kind: papyrus }`, /line 2: engine\.kind: no engine is called papyrus; there are: paper, command/],
    ["an axis below a number", `${FIXED}axes: { pause_s.long: [1] }\npause_s: 3`, /line 2: axes\.pause_s\.long: pause_s is no map/],
    [
      "an axis below a key that takes no map",
      `${FIXED}axes: { pause_s.long: [1] }`,
      /axes\.pause_s\.long\.0: pause_s = 1: .*expected a number, found a map/,
    ],
    ["an axis without a name", `${FIXED}axes: { engine..threads: [1] }`, /line 2: axes\.engine\.\.threads: expected the dotted key/],
    [
      "an axis without values",
      `${FIXED}axes: { pause_s: [] }`,
      /line 2: axes\.pause_s: expected a list of at least 1, found an empty list/,
    ],
    [
      "more cells than anybody waits for",
      `${FIXED}axes: { pause_s: [1, 2, 3] }\nrepetitions: 1000\n`.replace("[1, 2, 3]", `[${Array(11).fill(1).join()}]`),
      /axes: make 11000 cells; at most 10000/,
    ],
    [
      "two sources of prompts",
      "workload: { kind: prompts, prompts: [a], file: b.jsonl }",
      /line 1: workload: expected `prompts` or `file`, and not both/,
    ],
    ["no source of prompts", "workload: { kind: prompts }", /line 1: workload: expected `prompts` or `file`/],
    [
      "a gate that nobody could pass",
      `${FIXED}cool_down: { below_degc: 40, hold_s: 60, timeout_s: 30 }`,
      /line 2: cool_down: timeout_s is shorter than hold_s/,
    ],
    [
      "a number wanted as a state",
      `${FIXED}preflight: [{ check: load, is: low }]`,
      /line 2: preflight\.0: .*load is a number: expected at_least or at_most/,
    ],
    ["a check that does not exist", `${FIXED}preflight: [moon]`, /line 2: preflight\.0\.check: expected one of charging, .*, found "moon"/],
    [
      "a setting that is a shell line",
      `${FIXED}settings: [{ set: "echo 1 > x", restore: [x] }]`,
      /line 2: settings\.0\.set: expected a list, found "echo 1 > x"/,
    ],
    ["a setting that is never undone", `${FIXED}settings: [{ set: [x] }]`, /line 2: settings\.0\.restore: missing/],
    ["a list", "- a", /line 1: the file: expected keys/],
    ["an engine for the device's own workload", "engine: { kind: paper }", /line 1: engine: the workload is the device's own/],
  ])("%s", (_, text, expected) => {
    expect(problemsIn(() => experiment(text)).join("\n")).toMatch(expected);
  });

  test("a sweep may ask for more than the context: a refusal is a result", () => {
    const text = "workload: { kind: context_sweep, prompt_tokens: [256, 4096] }\nengine: { context: 512 }";
    expect(experiment(text).cells).toHaveLength(1);
  });

  test("an option of the rig is told as the rig's", () => {
    const rig = rigWith("engine: { kind: paper, model: a.gguf, thread: 2 }");
    expect(problemsIn(() => experiment(FIXED, rig)).join()).toMatch(
      /engine\.thread: unknown key.*\(it comes from device\.engine of the rig\)/,
    );
  });

  test("a rig's device with an engine alone has no workload of its own", () => {
    expect(problemsIn(() => experiment("repetitions: 2")).join()).toContain("workload: missing; the rig's device has neither a `command`");
  });

  test("what asks a device needs one that is no emulation", () => {
    const text =
      "settings: [{ set: [a], restore: [b] }]\ncool_down: { below_degc: 40 }\npreflight: [{ check: charging, is: no }]\nlimits: { temperature_degc: 80 }";
    expect(problemsIn(() => experiment(text, rigWith("emulated: phone")))).toEqual([
      "plan.yaml: 4 problems",
      ...["settings", "cool_down", "preflight", "limits"].map(
        (key, i) => `  line ${i + 1}: ${key}: needs a device that can be asked; this rig has none, or an emulated one`,
      ),
    ]);
  });
});

describe("a workload's file", () => {
  const at = (kind: string, file: string) => () =>
    experiment(`baseline_s: 1\nworkload:\n  kind: ${kind}\n  file: ${file}\n`, rigWith(), join(dir, "plan.yaml"));

  test.each<[string, string, string | Uint8Array, RegExp]>([
    ["that is empty", "prompts", "\n  \n", /line 4: workload\.file: .*x\.txt: is empty$/],
    [
      "that is not UTF-8",
      "prompts",
      new Uint8Array([...Buffer.from('{"prompt":"a"}\n'), 0xff, 0xfe, 0x0a]),
      /x\.txt: line 2: is not UTF-8/,
    ],
    ["with a broken line", "sustained", '{"prompt":"a"}\n{"prompt":\n', /line 2: is not JSON; expected one object per line/],
    ["with a line that lacks its prompt", "prompts", '{"prompt":"a"}\n\n{"text":"b"}\n', /line 3: prompt: .*expected string/],
    [
      "of conversations with a comma missing",
      "conversations",
      '[\n ["a"],\n ["b" "c"]\n]\n',
      /line 3: is not JSON; expected a list of conversations/,
    ],
    ["of conversations that is cut off", "conversations", '[\n ["a"],\n', /line 2: is not JSON/],
    ["of conversations with a word unquoted", "conversations", '[\n ["a"],\n [b],\n ["c"],\n ["d"]\n]\n', /line 3: is not JSON/],
    ["of conversations with a comma too many", "conversations", '[\n ["a"],\n]\n\n', /line 3: is not JSON/],
    ["of conversations with an empty turn", "conversations", '[["a"],["b",""]]', /conversation 2, turn 2: Too small/],
    ["of conversations that is a map", "conversations", '{"a":["b"]}', /the list: .*expected array/],
    [
      "of conversations without a user",
      "conversations",
      '[["a"],[{"role":"assistant","content":"b"}]]',
      /conversation 2 has no prompt of a user/,
    ],
    [
      "of choices whose answer is none of them",
      "choices",
      '{"question":"q","choices":["a","b"],"answer":2}\n',
      /line 1: answer: expected one of the choices/,
    ],
  ])("%s is told in one sentence", (_, kind, content, expected) => {
    writeFileSync(join(dir, "x.txt"), content);
    const lines = problemsIn(at(kind, "x.txt"));
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(expected);
    expect(lines[1]!.startsWith(`  line 4: workload.file: ${join(dir, "x.txt")}: `)).toBe(true);
  });

  test("that is not there is told with its path", () => {
    expect(problemsIn(at("prompts", "gone.jsonl")).join()).toContain(
      `${join(dir, "gone.jsonl")}: no such file; paths are relative to the plan`,
    );
  });
});
