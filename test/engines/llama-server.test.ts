import { readFileSync, truncateSync } from "node:fs";
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../src/model/engine.ts";
import { Bench, freePort, program, request } from "./bench.ts";

const PATH = program("llama-server");
let bench: Bench;
let engine: Engine;
let model: string;
let port: number;

beforeAll(async () => {
  bench = await Bench.open();
  // About 2 ms a token, so that an answer can be interrupted.
  model = bench.model({ dim: 256, layers: 4, context: 4096 });
  port = await freePort();
  engine = await bench.engine("llama-server", { path: PATH, model, port, context: 4096, metrics: true });
  expect(await engine.load()).toEqual({ outcome: "ok", text: "" });
});

afterAll(() => bench.close());

/** The `data:` messages of what was heard since line `from`. */
const messages = (from: number): Record<string, unknown>[] =>
  bench.heard.slice(from).flatMap((line) => (/^data: \{/.test(line) ? [JSON.parse(line.slice(6))] : []));

function cachedTokens(from: number): number {
  const { timings } = messages(from).at(-1) as { timings: { cache_n: number } };
  return timings.cache_n;
}

describe("a completion", () => {
  test("is streamed, with the engine's own counts", async () => {
    const from = bench.heard.length;
    const answer = await engine.ask(request({ id: "first", prompt: "hello world", outputTokens: 24, ignoresEos: true }));
    const last = messages(from).at(-1);
    expect(answer.outcome).toBe("ok");
    expect(answer.text).toBe(
      messages(from)
        .map(({ content }) => content)
        .join(""),
    );
    // The beginning of the sequence, a space, and eleven letters.
    expect(last).toMatchObject({
      stop: true,
      tokens_predicted: 24,
      tokens_evaluated: 13,
      timings: { prompt_n: 13, cache_n: 0, predicted_n: 24 },
    });
    expect(messages(from).length).toBeGreaterThan(3);
    expect(bench.said).toContainEqual({ request: "first", begin: "completion", output_tokens: 24, endpoint: "/completion" });
    expect(bench.said.at(-1)).toEqual({ request: "first", end: "ok" });
    expect(bench.heard.slice(from)).toContainEqual(expect.stringMatching(/^llamacpp:tokens_predicted_total 24$/));
  });

  test("prefills again what was prefilled, unless the request reuses the cache", async () => {
    const asked = { prompt: "the same prompt", outputTokens: 4, ignoresEos: true };
    const cached: number[] = [];
    for (const reusesCache of [false, false, true]) {
      const from = bench.heard.length;
      await engine.ask(request({ ...asked, reusesCache }));
      cached.push(cachedTokens(from));
    }
    expect(cached).toEqual([0, 0, 16]);
  });

  test.each([3, 64, 1000])("of %i tokens prefills so many", async (promptTokens) => {
    const from = bench.heard.length;
    expect((await engine.ask(request({ promptTokens, outputTokens: 2, ignoresEos: true }))).outcome).toBe("ok");
    expect(messages(from).at(-1)).toMatchObject({ tokens_evaluated: promptTokens, timings: { cache_n: 0, prompt_n: promptTokens } });
  });
});

test("a chat goes to the chat endpoint, and reuses its turns", async () => {
  const from = bench.heard.length;
  const chat = [{ role: "user", content: 'say "$(hi)"' }] as const;
  const answer = await engine.ask(request({ id: "turn", prompt: chat, outputTokens: 12, ignoresEos: true }));
  expect(answer.outcome).toBe("ok");
  expect(bench.heard.slice(from)).toContain("data: [DONE]");
  expect(messages(from).at(-1)).toMatchObject({ usage: { completion_tokens: 12 } });
  expect(bench.said).toContainEqual(expect.objectContaining({ request: "turn", begin: "chat", endpoint: "/v1/chat/completions" }));
  const next = bench.heard.length;
  const turns = [...chat, { role: "assistant", content: "hi" }, { role: "user", content: "again" }] as const;
  await engine.ask(request({ prompt: turns, outputTokens: 2, ignoresEos: true, reusesCache: true }));
  expect(cachedTokens(next)).toBeGreaterThan(20);
});

test("a prompt beyond the context is refused, with the server's words", async () => {
  const answer = await engine.ask(request({ promptTokens: 5000, outputTokens: 1 }));
  expect(answer).toMatchObject({ outcome: "refused", detail: expect.stringContaining("exceeds the available context size (4096 tokens)") });
});

test("a request beyond its limit is given up, and the next one works", async () => {
  const answer = await engine.ask(request({ prompt: "long", outputTokens: 4000, ignoresEos: true, limit_s: 0.3 }));
  expect(answer).toMatchObject({ outcome: "timeout", detail: "not done within 0.3 s" });
  expect(await engine.ask(request({ prompt: "short", outputTokens: 2, ignoresEos: true }))).toMatchObject({ outcome: "ok" });
});

test("a chat for the completion endpoint is an error of the plan", async () => {
  const attached = await bench.engine("llama-server", { attach: true, port, endpoint: "completion" });
  await attached.load();
  await expect(attached.ask(request({ prompt: [{ role: "user", content: "x" }] }))).rejects.toMatchObject({ kind: "config" });
});

test("an attached server is used and left running", async () => {
  const attached = await bench.engine("llama-server", { attach: true, port });
  expect(await attached.load()).toMatchObject({ outcome: "ok" });
  expect(await attached.ask(request({ prompt: "x", outputTokens: 2, ignoresEos: true }))).toMatchObject({ outcome: "ok" });
  await attached.close();
  expect(await engine.ask(request({ prompt: "x", outputTokens: 2, ignoresEos: true }))).toMatchObject({ outcome: "ok" });
});

describe("cannot be started", () => {
  const load = async (options: object): Promise<unknown> =>
    (await bench.engine("llama-server", { path: PATH, model, load_s: 20, ...options })).load();

  test("when its port is taken, by a server or by anything", async () => {
    await expect(load({ port })).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining(`port ${port} of the device is taken`),
    });
    const other = createServer((_, response) => response.end("no")).listen(0, "127.0.0.1");
    await new Promise((done) => other.once("listening", done));
    await expect(load({ port: (other.address() as { port: number }).port })).rejects.toMatchObject({ kind: "config" });
    await new Promise((done) => other.close(done));
  });

  test("when it is not installed", async () => {
    const failure = { kind: "config", message: expect.stringContaining("is not installed on the device") };
    await expect(load({ path: "llama-server-nowhere", port: await freePort() })).rejects.toMatchObject(failure);
  });

  test("when the model is missing or truncated", async () => {
    const gone = { kind: "config", message: expect.stringContaining("failed to load model") };
    await expect(load({ model: `${model}.gone`, port: await freePort() })).rejects.toMatchObject(gone);
    const cut = bench.model({}, "cut.gguf");
    truncateSync(cut, 400_000);
    const broken = { kind: "config", message: expect.stringMatching(/failed to load model|not within the file bounds/) };
    await expect(load({ model: cut, port: await freePort() })).rejects.toMatchObject(broken);
  });

  test("when memory is short: that is a result", async () => {
    const words = "ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 1099511627776";
    const path = bench.script("short of memory", `echo '${words}' >&2\nexit 1\n`);
    expect(await load({ path, port: await freePort() })).toMatchObject({ outcome: "oom", detail: expect.stringContaining(words) });
  });

  test("in the time it has", async () => {
    const path = bench.script("slow", "exec sleep 60\n");
    expect(await load({ path, port: await freePort(), load_s: 0.5 })).toMatchObject({ outcome: "timeout" });
  });
});

test("a server that is killed in the middle of an answer has crashed, and closing it is no error", async () => {
  const here = await freePort();
  const doomed = await bench.engine("llama-server", { path: PATH, model, port: here, context: 4096 });
  await doomed.load();
  const from = bench.heard.length;
  const answer = doomed.ask(request({ id: "killed", prompt: "x", outputTokens: 4000, ignoresEos: true }));
  await expect.poll(() => messages(from).length).toBeGreaterThan(3);
  for (const pid of bench.processes().filter((each) => commandLine(each).includes(`${here}`))) process.kill(pid, "SIGKILL");
  expect(await answer).toMatchObject({ outcome: "crash", text: expect.stringMatching(/./) });
  expect(bench.said.at(-1)).toMatchObject({ request: "killed", end: "crash" });
  // The next one is tried, on a server that is started anew; that it was loaded again stands on the tape.
  const said = bench.said.length;
  expect(await doomed.ask(request({ id: "next", prompt: "x", outputTokens: 2 }))).toMatchObject({ outcome: "ok" });
  expect(bench.said.slice(said).map(({ load, begin, end }) => load ?? begin ?? end)).toEqual(["begin", "end", "completion", "ok"]);
  await doomed.close();
});

test("a server that dies whenever it is asked is started for each request, and each is told", async () => {
  const engine = await bench.engine("llama-server", { path: bench.script("once", ONCE), model, port: await freePort(), load_s: 5 });
  expect(await engine.load()).toMatchObject({ outcome: "ok" });
  for (const pid of bench.processes().filter((each) => commandLine(each).includes("--port"))) process.kill(pid, "SIGKILL");
  expect(await engine.ask(request({ prompt: "x" }))).toMatchObject({ outcome: expect.stringMatching(/crash|oom/) });
  const answer = await engine.ask(request({ id: "second", prompt: "x" }));
  expect(answer).toMatchObject({ outcome: "oom", detail: expect.stringMatching(/started anew it did not come up: .*bad_alloc/) });
  expect(bench.said.at(-1)).toMatchObject({ request: "second", end: "oom" });
});

test("needs a model to start, none to attach", async () => {
  await expect(bench.engine("llama-server", {})).rejects.toThrow(/needed to start the server/);
});

/** The real server the first time; short of memory ever after. */
const ONCE = `[ -e "$0.up" ] && { echo 'terminate called: std::bad_alloc' >&2; exit 134; }\ntouch "$0.up"\nexec '${PATH}' "$@"\n`;

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
};
