import { describe, expect, test } from "vitest";
import { llamaServer } from "../../src/parsers/llama-server.ts";
import { between, exponential, type Random, seeded } from "../../src/simulate/random.ts";
import { cut, evenly, type Heard, only, replay, sampleLines, stated } from "./replay.ts";

const read = (name: string) => replay(llamaServer, evenly(sampleLines(name)));
const sse = (value: object): string => `data: ${JSON.stringify(value)}`;

describe("a sample of each answer: tokens, prompt tokens and cache are the server's own counts", () => {
  test.each([
    { name: "llama-server-completion", prompt: 13, cached: 0, output: 16, prompt_ms: 3.112, predicted_ms: 9.695, times: 0 },
    { name: "llama-server-completion-stream", prompt: 1, cached: 12, output: 6, prompt_ms: 0.918, predicted_ms: 2.378, times: 0 },
    {
      name: "llama-server-completion-stream-timings_per_token",
      prompt: 1,
      cached: 12,
      output: 6,
      prompt_ms: 1.066,
      predicted_ms: 4.373,
      times: 4,
    },
    { name: "llama-server-chat-stream", prompt: 52, cached: 2, output: 5, prompt_ms: 8.433, predicted_ms: 3.184, times: 4 },
  ])("$name", ({ name, prompt, cached, output, prompt_ms, predicted_ms, times }) => {
    const { events, unread } = read(name);
    expect(unread).toEqual([]);
    const [start, first] = events;
    const end = events.at(-1)!;
    expect([start!.type, first!.type, end.type]).toEqual(["request_start", "first_token", "request_end"]);
    expect(first).toMatchObject({ tokens: prompt, cachedTokens: cached, clock: "host" });
    expect(end).toMatchObject({ outputTokens: output });
    expect(first!.tick - start!.tick).toBeCloseTo(prompt_ms / 1e3, 9);
    expect(end.tick - first!.tick).toBeCloseTo(predicted_ms / 1e3, 9);
    expect(events.filter(({ type }) => type === "token")).toHaveLength(times);
    const { windows, faults } = cut(events);
    expect(faults).toEqual([]);
    expect(only(windows, "request")).toMatchObject({ tokens: output, flags: times > 0 ? [] : ["TOTALS_ONLY"] });
    expect(only(windows, "decode")).toMatchObject({ tokens: output - 1 });
    expect(only(windows, "prefill")).toMatchObject({ tokens: prompt });
  });

  test("a message of two tokens is one event of two", () => {
    const tokens = read("llama-server-completion-stream-timings_per_token").events.filter(({ type }) => type === "token");
    expect(tokens.map((event) => event.tokens)).toEqual([1, 1, 1, 2]);
  });

  test.each(["llama-server-health", "llama-server-metrics", "llama-server-slots"])("%s does no harm", (name) => {
    expect(read(name)).toEqual({ events: [], unread: [] });
  });
});

describe("the log alone", () => {
  test("tells loads and requests on its own clock", () => {
    const { events, unread } = read("llama-server-log");
    expect(unread).toEqual([]);
    expect(events.every(({ clock, log }) => clock === "log" && log === 0)).toBe(true);
    const ends = events.filter(({ type }) => type === "request_end");
    expect(ends.map(({ request, outputTokens }) => [request, outputTokens])).toEqual([
      ["task 0", 16],
      ["task 17", 6],
      ["task 24", 6],
      ["task 31", 5],
    ]);
    expect(events.filter(({ type }) => type === "first_token").map(({ tokens }) => tokens)).toEqual([13, 1, 1, 52]);
    // It is printed at 260.289 ms, after 12.81 ms of work, and launched at 247.442 ms.
    expect(events.find(({ type }) => type === "request_start")!.tick).toBeCloseTo(0.247479, 9);
    const { windows, faults } = cut(events);
    expect(faults).toEqual([]);
    expect(only(windows, "load")).toMatchObject({ start_s: 0.005279, end_s: 0.01812 });
  });

  test("without times it is placed by arrival", () => {
    const bare = sampleLines("llama-server-log").map((line) => line.replace(/^[\d.]+ \w /, ""));
    const { events, unread } = replay(llamaServer, evenly(bare));
    expect(unread).toEqual([]);
    expect(events.every(({ clock, log }) => clock === "host" && log === undefined)).toBe(true);
    expect(events.filter(({ type }) => type === "request_end").map(({ outputTokens }) => outputTokens)).toEqual([16, 6, 6, 5]);
  });

  test("totals on lines of their own, as servers of 2024 print them", () => {
    const lines = [
      "slot launch_slot_: id  0 | task 3 | processing task",
      "slot print_timing: id  0 | task 3 | ",
      "prompt eval time =     116.48 ms /    14 tokens (    8.32 ms per token,   120.19 tokens per second)",
      "       eval time =     510.00 ms /    21 tokens (   24.29 ms per token,    41.18 tokens per second)",
      "      total time =     626.48 ms /    35 tokens",
      "slot      release: id  0 | task 3 | stop processing: n_past = 34, truncated = 0",
    ];
    const { events, unread } = replay(llamaServer, evenly(lines, 10, 0.5));
    expect(unread).toEqual([]);
    expect(events.map(({ type, tokens, outputTokens }) => [type, tokens ?? outputTokens])).toEqual([
      ["request_start", undefined],
      ["first_token", 14],
      ["request_end", 21],
    ]);
  });

  test("another log begins when its time does", () => {
    const lines = sampleLines("llama-server-log");
    const { events } = replay(llamaServer, evenly([...lines.slice(0, 12), ...lines]));
    expect([...new Set(events.map(({ log }) => log))]).toEqual([0, 1]);
    // The first log broke off in its first task: it has a start and no end.
    const first = events.filter(({ log }) => log === 0).map(({ type }) => type);
    expect(first).toEqual(["load_start", "load_end", "request_start"]);
  });

  test("beside answers it is no second source", () => {
    const log = sampleLines("llama-server-log").slice(0, 20);
    const answer = sampleLines("llama-server-completion").at(-2)!;
    const { events } = replay(llamaServer, [
      stated({ load: "begin", model: "small.gguf" }, 0.5),
      stated({ request: "r1", begin: "completion" }, 0.9),
      ...evenly(log),
      { line: answer, at_s: 1.1 },
      stated({ request: "r1", end: "ok" }, 1.2),
    ]);
    expect(events.map(({ type, request }) => `${type} ${request}`)).toEqual([
      "load_start ",
      "request_start r1",
      "first_token r1",
      "request_end r1",
    ]);
  });

  test("stands in for an answer that nobody forwarded", () => {
    const { events } = replay(llamaServer, [
      stated({ request: "r1", begin: "completion" }, 0.9),
      ...evenly(sampleLines("llama-server-log").slice(9, 17)),
      stated({ request: "r1", end: "ok" }, 1.2),
    ]);
    expect(events.at(-1)).toMatchObject({ type: "request_end", request: "r1", outputTokens: 16, clock: "host" });
  });
});

/** A request whose truth is known, told through a channel that is late by `least_s` and a random rest. */
function jittered(random: Random, least_s: number, tokens: number) {
  const sent_s = 5;
  const start_s = sent_s + between(random, 0.001, 0.02);
  const prefill_s = between(random, 0.05, 0.4);
  const truth_s: number[] = [];
  let at_s = start_s + prefill_s;
  for (let k = 0; k < tokens; k++) {
    truth_s.push(at_s);
    at_s += between(random, 0.02, 0.06);
  }
  let before_s = 0;
  const heard = truth_s.flatMap((token_s, k): Heard[] => {
    // Two tokens now and then come in one message, and messages do not overtake each other.
    if (k % 7 === 3) return [];
    before_s = Math.max(before_s, token_s + least_s + exponential(random, 0.004));
    const predicted_ms = Math.round((token_s - truth_s[0]!) * 1e6) / 1e3;
    const timings = { cache_n: 3, prompt_n: 20, prompt_ms: Math.round(prefill_s * 1e6) / 1e3, predicted_n: k + 1, predicted_ms };
    const line = sse({ content: "x", stop: k === tokens - 1, tokens_predicted: k + 1, tokens_evaluated: 23, timings });
    return [{ line, at_s: before_s }];
  });
  return { heard: [stated({ request: "r", begin: "completion" }, sent_s), ...heard], start_s, truth_s };
}

describe("times through a jittery channel", () => {
  test.each([1, 2, 3, 4, 5])("are the truth, late by the least latency alone (seed %i)", (seed) => {
    const least_s = 0.002;
    const { heard, start_s, truth_s } = jittered(seeded(seed), least_s, 120);
    const { events, unread } = replay(llamaServer, heard);
    expect(unread).toEqual([]);
    // Of some hundred exponential delays of 4 ms the least is 40 µs; their mean would be a hundred times that.
    const tolerance_s = 4e-4;
    const late = (tick: number, at_s: number) => Math.abs(tick - at_s - least_s);
    expect(late(events[0]!.tick, start_s)).toBeLessThan(tolerance_s);
    let count = 0;
    for (const event of events.filter(({ type }) => type === "first_token" || type === "token")) {
      count += event.type === "first_token" ? 1 : event.tokens!;
      expect(late(event.tick, truth_s[count - 1]!)).toBeLessThan(tolerance_s);
    }
    expect(count).toBe(120);
    expect(only(cut(events).windows, "request").flags).toEqual([]);
  });

  test("nothing lies before the request was sent, nor after the last message", () => {
    const timings = { prompt_n: 4, prompt_ms: 9000, predicted_n: 2, predicted_ms: 500 };
    const { events } = replay(llamaServer, [
      stated({ request: "r", begin: "completion" }, 3),
      { line: sse({ stop: true, tokens_predicted: 2, timings }), at_s: 4 },
    ]);
    expect(events.map(({ tick }) => tick)).toEqual([3, 4, 4]);
  });
});

describe("how a request ends", () => {
  const begin = stated({ request: "r", begin: "chat", prompt_tokens: 9 }, 1);
  const token = (n: number, at_s: number): Heard => ({
    line: sse({
      content: "x",
      stop: false,
      tokens_predicted: n,
      timings: { prompt_n: 4, prompt_ms: 100, predicted_n: n, predicted_ms: 50 * (n - 1) },
    }),
    at_s,
  });

  test.each(["oom", "crash", "refused", "timeout"] as const)("%s before any answer", (outcome) => {
    const { events } = replay(llamaServer, [begin, stated({ request: "r", end: outcome }, 2)]);
    expect(events).toEqual([
      { request: "r", clock: "host", type: "request_start", tick: 1 },
      { request: "r", clock: "host", type: "request_end", tick: 2, outcome },
    ]);
  });

  test("a crash in the middle keeps the tokens until then, and the time until it was known", () => {
    const { events } = replay(llamaServer, [begin, token(1, 1.2), token(2, 1.25), stated({ request: "r", end: "crash" }, 3)]);
    expect(events.map(({ type }) => type)).toEqual(["request_start", "first_token", "token", "request_end"]);
    expect(events.at(-1)).toMatchObject({ tick: 3, outcome: "crash" });
    expect(events.at(-1)).not.toHaveProperty("outputTokens");
    expect(only(cut(events).windows, "request").tokens).toBe(2);
  });

  test("an error of the server is an end, and the driver's word for it goes first", () => {
    const error = { line: sse({ error: { code: 400, message: "too long", type: "exceed_context_size_error" } }), at_s: 1.5 };
    expect(replay(llamaServer, [begin, error]).events.at(-1)).toMatchObject({ outcome: "refused", tick: 1.5 });
    expect(replay(llamaServer, [begin, error, stated({ request: "r", end: "oom" }, 2)]).events.at(-1)).toMatchObject({ outcome: "oom" });
  });

  test("nobody says: the request has no end, and the next one is not disturbed", () => {
    const { events } = replay(llamaServer, [
      begin,
      token(1, 1.2),
      stated({ request: "s", begin: "completion" }, 2),
      {
        line: sse({ stop: true, tokens_predicted: 1, timings: { prompt_n: 1, prompt_ms: 5, predicted_n: 1, predicted_ms: 0 } }),
        at_s: 2.1,
      },
    ]);
    expect(events.map(({ type, request }) => `${type} ${request}`)).toEqual([
      "request_start r",
      "first_token r",
      "request_start s",
      "first_token s",
      "request_end s",
    ]);
  });

  test.each(["completion", "chat"])("a %s whose progress tells of the times of the one before ends with its last line", (form) => {
    const message = (isLast: boolean, more: { timings: object; prompt_progress?: object }, predicted: number): string =>
      form === "completion"
        ? sse({ content: "", stop: isLast, tokens_predicted: predicted, ...more })
        : sse({ object: "chat.completion.chunk", choices: isLast ? [] : [{ finish_reason: null, delta: { content: "x" } }], ...more });
    const own = (n: number) => ({ timings: { prompt_n: 4, prompt_ms: 100, predicted_n: n, predicted_ms: 50 * (n - 1) } });
    const stale = { timings: { prompt_n: 4, prompt_ms: 90, predicted_n: 64, predicted_ms: 3150 } };
    const { events, unread } = replay(llamaServer, [
      stated({ request: "warmup-2", begin: form }, 1),
      { line: message(false, { ...stale, prompt_progress: { total: 8, cache: 0, processed: 4, time_ms: 50 } }, 64), at_s: 1.06 },
      { line: message(false, own(1), 1), at_s: 1.11 },
      { line: message(true, own(2), 2), at_s: 1.16 },
      ...(form === "chat" ? [{ line: "data: [DONE]", at_s: 1.17 }] : []),
    ]);
    expect(unread).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual(["request_start", "first_token", "token", "request_end"]);
    expect(events[1]!.tick - events[0]!.tick).toBeCloseTo(0.1, 9);
    expect(events.at(-1)).toMatchObject({ request: "warmup-2", outputTokens: 2 });
  });

  test("what still comes of a request that was given up is unread", () => {
    const { events, unread } = replay(llamaServer, [begin, stated({ request: "r", end: "timeout" }, 2), token(1, 2.1)]);
    expect(events).toHaveLength(2);
    expect(unread).toHaveLength(1);
  });

  test("a count that differs from the times' is the server's, and flagged", () => {
    const last = sse({ stop: true, tokens_predicted: 9, timings: { prompt_n: 4, prompt_ms: 100, predicted_n: 2, predicted_ms: 50 } });
    const { events } = replay(llamaServer, [begin, token(1, 1.2), token(2, 1.25), { line: last, at_s: 1.3 }]);
    expect(only(cut(events).windows, "request").flags).toEqual(["TOKEN_COUNT_MISMATCH"]);
  });

  test("an answer without times has its arrival and its count", () => {
    const { events } = replay(llamaServer, [begin, { line: '{"content":"xy","stop":true,"tokens_predicted":2}', at_s: 1.5 }]);
    expect(events.map(({ type, tick }) => [type, tick])).toEqual([
      ["request_start", 1],
      ["first_token", 1.5],
      ["request_end", 1.5],
    ]);
    expect(events.at(-1)!.outputTokens).toBe(2);
  });
});

test.each([
  ["half a message", 'data: {"content":"y","stop":fal'],
  ["a count below zero", sse({ stop: false, tokens_predicted: -1 })],
  [
    "a time without end",
    'data: {"stop":false,"tokens_predicted":1,"timings":{"prompt_n":1,"prompt_ms":1e99,"predicted_n":1,"predicted_ms":0}}',
  ],
  [
    "a time that is none",
    'data: {"stop":false,"tokens_predicted":1,"timings":{"prompt_n":1,"prompt_ms":null,"predicted_n":1,"predicted_ms":0}}',
  ],
  ["a count without its time", "slot print_timing: id  0 | task 0 | prompt eval time =      nan ms /    13 tokens"],
  ["somebody else", "Segmentation fault"],
])("%s is unread", (_, line) => {
  expect(llamaServer.open().push(line, 1e9)).toBeUndefined();
});
