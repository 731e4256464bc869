import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engines } from "../../src/engines/index.ts";
import { seeded } from "../../src/simulate/random.ts";
import { Bench, program, request } from "./bench.ts";
import { prompts } from "./prompts.ts";

const PATH = program("llama-completion");
let bench: Bench;
let model: string;

beforeAll(async () => {
  bench = await Bench.open();
  model = bench.model({ dim: 128, layers: 3, context: 2048 });
});

afterAll(() => bench.close());

const engineOf = (options: object = {}) =>
  bench.engine("llama-completion", { path: PATH, model, folder: bench.folder, context: 512, ...options });

test("a process per request, token by token, with the engine's own counts", async () => {
  const engine = await engineOf();
  expect(await engine.load()).toEqual({ outcome: "ok", text: "" });
  expect(bench.said).toEqual([
    { load: "begin", model },
    { load: "end", model },
  ]);
  const answer = await engine.ask(request({ id: "first", prompt: "hello world", outputTokens: 9, ignoresEos: true }));
  expect(answer.outcome).toBe("ok");
  expect(answer.text.length).toBeGreaterThan(0);
  expect(bench.said.at(-2)).toMatchObject({
    request: "first",
    begin: "process",
    output_tokens: 9,
    argv: expect.arrayContaining(["-p", "hello world", "--ignore-eos"]),
  });
  expect(bench.said.at(-1)).toEqual({ request: "first", end: "ok" });
  const log = bench.events.map(({ msg }) => String(msg)).join("");
  expect(log).toMatch(/prompt eval time = .* \/ +13 tokens/);
  expect(log).toMatch(/eval time = .* \/ +8 runs/);
  expect(bench.events.filter(({ level }) => level === "none")).toHaveLength(9 + 1); // And the newline that ends it.
});

test("a log as text gives its totals", async () => {
  const engine = await engineOf({ log: "text" });
  const from = bench.heard.length;
  expect(await engine.ask(request({ prompt: "hello", outputTokens: 3, ignoresEos: true }))).toMatchObject({ outcome: "ok" });
  expect(bench.heard.slice(from)).toContainEqual(expect.stringMatching(/eval time = .* \/ +2 runs/));
});

test("a log as text counts when it comes, and is told from what the model writes on the same line", async () => {
  const heardAt = new Map<string, number>();
  const path = bench.script(
    "slow",
    "echo 'generate: n_ctx = 512' >&2\nprintf 'one\\ntwo'\nsleep 0.4\nprintf '%s\\n' 'eval: a\\b = 1' >&2\nexit 9\n",
  );
  const kind = engines.find((each) => each.kind === "llama-completion")!;
  const hear = (text: string, host_ns: number) => heardAt.set(text, host_ns);
  const engine = await kind.open(kind.options.parse({ path, model, log: "text" }), { ...bench.context, hear });
  expect(await engine.ask(request({ prompt: "x" }))).toMatchObject({
    outcome: "crash",
    text: "one\ntwo\n",
    detail: expect.stringContaining("exit code 9"),
  });
  expect([...heardAt.keys()].toSorted()).toEqual(["eval: a\\b = 1", "generate: n_ctx = 512", "one", "two"]);
  expect(heardAt.get("eval: a\\b = 1")! - heardAt.get("generate: n_ctx = 512")!).toBeGreaterThan(0.3e9);
});

test("logging text, it is ended with all it started when it takes longer than it may", async () => {
  const engine = await engineOf({ path: bench.script("sleeper of text", "sleep 60\n"), log: "text" });
  expect(await engine.ask(request({ prompt: "x", limit_s: 0.3 }))).toMatchObject({ outcome: "timeout" });
  await expect.poll(() => bench.processes()).toEqual([]);
});

test("a folder where no prompt can be put is the plan's to change", async () => {
  const engine = await engineOf({ folder: join(bench.folder, "nowhere") });
  await expect(engine.ask(request({ prompt: "long ".repeat(50_000) }))).rejects.toMatchObject({
    kind: "config",
    message: expect.stringMatching(/nowhere: cannot put a prompt there: .*No such file/),
  });
});

test("a prompt too long for a command line goes through a file, and nothing of it stays", async () => {
  const echo = bench.script("echo the file", 'while [ "$1" != -f ]; do shift; done\nprintf "%s" "$(cat "$2"; echo x)"\n');
  const engine = await engineOf({ path: echo, log: "text" });
  const prompt = `-${"long 'prompt' $(x)\n".repeat(3000)}\n`;
  const { outcome, text } = await engine.ask(request({ prompt }));
  expect(outcome).toBe("ok");
  expect(text).toBe(`${prompt}\nx\n`); // llama.cpp takes one newline off the end of a file.
  expect(await bench.transport.run?.(["ls", bench.folder])).toMatchObject({ output: expect.not.stringContaining("joulebench.") });
});

test("a prompt beyond the context is refused", async () => {
  const answer = await (await engineOf()).ask(request({ prompt: "x".repeat(600), outputTokens: 1 }));
  expect(answer).toMatchObject({ outcome: "refused", detail: expect.stringContaining("prompt is too long (602 tokens, max 508)") });
});

describe("what can go wrong at the load", () => {
  test("it is not installed", async () => {
    await expect((await engineOf({ path: "nowhere-llama" })).load()).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining("nowhere-llama"),
    });
  });

  test("the model is missing, or truncated", async () => {
    await expect((await engineOf({ model: `${model}.gone` })).load()).rejects.toMatchObject({
      kind: "config",
      message: expect.stringMatching(/does not load .*\.gone: is it there on the device, whole, .* It said: .*failed to load model/),
    });
    const cut = bench.model({}, "cut.gguf");
    truncateSync(cut, 400_000);
    await expect((await engineOf({ model: cut })).load()).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining("failed to load"),
    });
  });
});

describe("what can go wrong with a request", () => {
  test("it dies in the middle of a line", async () => {
    const path = bench.script("half", `printf '{"type":"log","time":5,"level":"none","msg":"a"}\\n{"type":"log","ti'\nkill -KILL $$\n`);
    const from = bench.heard.length;
    expect(await (await engineOf({ path })).ask(request({ id: "half", prompt: "x" }))).toMatchObject({ outcome: "crash", text: "a" });
    expect(bench.heard.slice(from)).toEqual(['{"type":"log","time":5,"level":"none","msg":"a"}', '{"type":"log","ti']);
    expect(bench.said.at(-1)).toMatchObject({ request: "half", end: "crash" });
  });

  test.each([
    ["echo 'std::bad_alloc' >&2; exit 134", "oom"],
    ["echo 'alloc: failed to allocate CPU buffer of size 9' >&2; exit 1", "oom"],
    ["exit 137", "crash"],
    ["exit 139", "crash"],
    ["exit 3", "crash"],
  ])("%s", async (text, outcome) => {
    const path = bench.script("fails", `${text}\n`);
    expect(await (await engineOf({ path })).ask(request({ prompt: "x" }))).toMatchObject({
      outcome,
      detail: expect.stringMatching(/^ended (by|with)/),
    });
  });

  test("it takes longer than it may", async () => {
    const engine = await engineOf({ path: bench.script("sleeper", "exec sleep 60\n") });
    expect(await engine.ask(request({ prompt: "x", limit_s: 0.3 }))).toMatchObject({ outcome: "timeout", detail: "not done within 0.3 s" });
    expect(bench.processes()).toEqual([]);
  });

  test("the plan asks for what it cannot do", async () => {
    await expect((await engineOf()).ask(request({ promptTokens: 4 }))).rejects.toMatchObject({ kind: "config" });
  });
});

test("150 prompts arrive as they are", { timeout: 60_000 }, async () => {
  const path = bench.script("keep", `while [ "$1" != -p ]; do shift; done\nprintf '%s' "$2" >"\${0%/*}/prompt"\n`);
  const engine = await engineOf({ path, log: "text" });
  const arrived: string[] = [];
  const asked = prompts(seeded(2), 150);
  for (const prompt of asked) {
    await engine.ask(request({ prompt }));
    arrived.push(readFileSync(join(bench.folder, "prompt"), "utf8"));
  }
  expect(arrived).toEqual(asked);
});
