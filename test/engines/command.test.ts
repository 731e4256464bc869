import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMAND_SCRIPT } from "../../src/engines/command-script.ts";
import { jsonl } from "../../src/parsers/jsonl.ts";
import { seeded } from "../../src/simulate/random.ts";
import { Bench, program, request } from "./bench.ts";
import { prompts } from "./prompts.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench.close());

const commandOf = (argv: readonly string[], options: object = {}) => bench.engine("command", { argv, ...options });

test("150 prompts arrive as they are, each inside its argument", { timeout: 60_000 }, async () => {
  const out = join(bench.folder, "argument");
  const engine = await commandOf([bench.script("keep", `[ $# -eq 2 ] && printf '%s' "$1" >"$2"\n`), "<{prompt}>", out]);
  const arrived: string[] = [];
  const asked = prompts(seeded(1), 150);
  for (const prompt of asked) {
    await engine.ask(request({ prompt }));
    arrived.push(readFileSync(out, "utf8"));
  }
  expect(arrived).toEqual(asked.map((prompt) => `<${prompt}>`));
});

describe("one run", () => {
  test.each(["score 0.93", "score 0.93\n", ""])("that prints %j has printed that, and has an end", async (printed) => {
    const engine = await commandOf(["printf", "%s", printed]);
    const from = bench.events.length;
    expect(await engine.ask(request())).toEqual({ outcome: "ok", text: printed });
    expect(bench.events.slice(from).map(({ type }) => type)).toEqual(["unit_start", "unit_end"]);
  });

  test("is timed on the device, with what the program says of itself", async () => {
    const stages = `echo '{"type":"unit_start","time_s":1,"unit":"image","phase":"resize"}'\nsleep 0.2\necho not an event\n`;
    const engine = await commandOf([bench.script("images", stages), "{output_tokens}"], { unit: "image", count: 8 });
    expect(await engine.load()).toMatchObject({ outcome: "ok" });
    const from = bench.events.length;
    const id = 'a "quoted" \\ name';
    const before_s = Date.now() / 1000;
    expect(await engine.ask(request({ id, outputTokens: 3 }))).toEqual({ outcome: "ok", text: "not an event\n" });
    const [start, stage, end] = bench.events.slice(from) as Record<string, number>[];
    expect(start).toMatchObject({ type: "unit_start", request: id, unit: "image" });
    expect(stage).toMatchObject({ phase: "resize" });
    expect(end).toMatchObject({ type: "unit_end", request: id, unit: "image", count: 8 });
    expect(start?.realtime_s).toBeGreaterThanOrEqual(before_s - 0.001);
    expect((end?.time_s ?? 0) - (start?.time_s ?? 0)).toBeGreaterThanOrEqual(0.2);
    expect(end?.realtime_s).toBeLessThanOrEqual(Date.now() / 1000 + 0.001);
    const parser = jsonl.open();
    expect(bench.heard.map((line) => parser.push(line, 0))).not.toContain(undefined);
    expect(bench.said.slice(-2)).toMatchObject([
      { request: id, begin: "process" },
      { request: id, end: "ok" },
    ]);
  });

  test.each(["dash", "bash", "mksh", "busybox sh"])("is timed alike by %s", async (shell) => {
    const argv = [...shell.split(" "), "-c", COMMAND_SCRIPT, "sh", '"r"', '"run"', "1", "sleep", "0.1"];
    const { output = "", code } = (await bench.transport.run?.(argv)) ?? {};
    const [start, open, end] = output
      .trim()
      .split("\n")
      .map((line) => line || "null")
      .map((line) => JSON.parse(line) as { type: string; time_s: number; count?: number });
    expect([code, start?.type, open, end?.type, end?.count]).toEqual([0, "unit_start", null, "unit_end", 1]);
    expect((end?.time_s ?? 0) - (start?.time_s ?? 0)).toBeGreaterThanOrEqual(0.1);
  });

  test("that fails has no count", async () => {
    const from = bench.events.length;
    const engine = await commandOf([bench.script("fails", "echo out of memory >&2; exit 3\n")]);
    expect(await engine.ask(request())).toEqual({ outcome: "oom", text: "", detail: "ended with exit code 3: out of memory" });
    const end = bench.events.slice(from).at(-1);
    expect(end).toMatchObject({ type: "unit_end", outcome: "crash" });
    expect(end).not.toHaveProperty("count");
  });

  test("that takes too long is ended with all of it", async () => {
    const stubborn = bench.script("stubborn", `trap '' TERM HUP\nwhile :; do sleep 0.05; done\n`);
    const engine = await commandOf([stubborn]);
    expect(await engine.ask(request({ limit_s: 0.3 }))).toMatchObject({ outcome: "timeout" });
    await expect.poll(() => bench.processes()).toEqual([]);
  });

  test("that is killed has crashed", async () => {
    expect(await (await commandOf([bench.script("killed", "kill -SEGV $$\n")])).ask(request())).toMatchObject({
      outcome: "crash",
      detail: expect.stringContaining("SIGSEGV"),
    });
  });
});

test("a program that is not there is an error of the plan, before the first run", async () => {
  await expect((await commandOf(["nowhere-at-all", "x"])).load()).rejects.toMatchObject({
    kind: "config",
    message: expect.stringContaining("nowhere-at-all"),
  });
});

test("a placeholder without a value is an error of the plan", async () => {
  await expect((await commandOf(["echo", "{prompt}"])).ask(request())).rejects.toMatchObject({ kind: "config" });
});

test("the end of the session ends a run", async () => {
  const other = await Bench.open();
  const engine = await other.engine("command", { argv: ["sleep", "60"] });
  const answer = engine.ask(request({ limit_s: 30 }));
  await expect.poll(() => other.events.length).toBe(1);
  other.abort.abort();
  expect(await answer).toMatchObject({ outcome: "timeout", detail: "the session was ended" });
  await other.close();
});

describe("llama-bench", () => {
  test("prefills and decodes so many tokens, once each, and says when", async () => {
    const model = bench.model();
    const engine = await bench.engine("llama-bench", { path: program("llama-bench"), model });
    expect(await engine.load()).toEqual({ outcome: "ok", text: "" });
    const from = bench.heard.length;
    expect((await engine.ask(request({ id: "lengths", promptTokens: 32, outputTokens: 8 }))).outcome).toBe("ok");
    const heard = bench.heard.slice(from);
    expect(heard).toContain("llama-bench: benchmark 1/2: prompt run 1/1");
    expect(heard).toContain("llama-bench: benchmark 2/2: generation run 1/1");
    const records = bench.events.slice(-2);
    expect(records).toMatchObject([
      { n_prompt: 32, n_gen: 0 },
      { n_prompt: 0, n_gen: 8 },
    ]);
    expect(bench.said.slice(-2)).toMatchObject([
      { request: "lengths", begin: "bench", prompt_tokens: 32, output_tokens: 8 },
      { end: "ok" },
    ]);
  });

  test("takes no prompt, and no model that is not there", async () => {
    const engine = await bench.engine("llama-bench", { path: program("llama-bench"), model: "gone.gguf" });
    await expect(engine.ask(request({ prompt: "x" }))).rejects.toMatchObject({ kind: "config" });
    await expect(engine.load()).rejects.toMatchObject({ kind: "config", message: expect.stringContaining("gone.gguf") });
  });
});
