import { describe, expect, test } from "vitest";
import { llamaCli, llamaCompletion } from "../../src/parsers/llama-completion.ts";
import { logLine, perfLine } from "../../src/parsers/perf-lines.ts";
import { cut, evenly, only, replay, sampleLines, stated } from "./replay.ts";

const process = (argv: readonly string[] = [], at_s = 0.9) => stated({ request: "r1", begin: "process", argv }, at_s);
const log = (time: number, msg: string, level = "none"): string => JSON.stringify({ type: "log", time, level, msg });

describe("--log-jsonl", () => {
  const lines = sampleLines("llama-completion-log-jsonl");
  /** Microseconds of the eight tokens, as the sample gives them. */
  const times = [23329, 24212, 24871, 25387, 25864, 26333, 26748, 27107];

  test("every output token has the log's time, and the prompt's echo is none", () => {
    const { events, unread } = replay(llamaCompletion, evenly(lines));
    expect(unread).toEqual([]);
    expect(events.every(({ clock, log }) => clock === "log" && log === 0)).toBe(true);
    const tokens = events.filter(({ type }) => type === "first_token" || type === "token");
    expect(tokens.map(({ tick }) => Math.round(tick * 1e6))).toEqual(times);
    expect(events.find(({ type }) => type === "first_token")!.tokens).toBe(13);
    expect(events.find(({ type }) => type === "request_start")!.tick).toBe(0.020774);
    expect(events.at(-1)).toMatchObject({ type: "request_end", outputTokens: 8, tick: 0.027142 });
    const { windows, faults } = cut(events);
    expect(faults).toEqual([]);
    expect(only(windows, "request")).toMatchObject({ tokens: 8, flags: [] });
    expect(only(windows, "load")).toMatchObject({ start_s: 0.002743, end_s: 0.01017 });
  });

  test("the beginning comes when its line does, so that the log's clock can be mapped", () => {
    const parser = llamaCompletion.open();
    const at = lines.findIndex((line) => line.includes('"generate: n_ctx'));
    const before = lines.slice(0, at).flatMap((line) => parser.push(line, 0) ?? []);
    expect(before.map(({ type }) => type)).toEqual(["load_start", "load_end"]);
    expect(parser.push(lines[at]!, 1e9)?.map(({ type }) => type)).toEqual(["request_start"]);
  });

  test("an end of the model's own, and a last token that is an empty line", () => {
    const at = lines.findIndex((line) => line.includes("common_perf_print:    sampling"));
    const ended = [...lines.slice(0, at - 2), log(27107, "\n\n"), log(27110, " [end of text]\n"), log(27124, "\n\n"), ...lines.slice(at)];
    const { events } = replay(llamaCompletion, evenly(ended));
    const tokens = events.filter(({ type }) => type === "first_token" || type === "token");
    expect(tokens.map(({ tick }) => Math.round(tick * 1e6))).toEqual(times);
  });

  test("each process has a log of its own", () => {
    const end = stated({ request: "r1", end: "ok" }, 2);
    const again = stated({ request: "r2", begin: "process" }, 3);
    const { events } = replay(llamaCompletion, [process(), ...evenly(lines), end, again, ...evenly(lines, 4)]);
    const { faults } = cut(events.filter(({ log }) => log === 1));
    expect(faults).toEqual([]);
    expect([0, 1].map((index) => events.filter(({ log }) => log === index).length)).toEqual([12, 12]);
    expect(new Set(events.filter(({ log }) => log === 1 && true).map(({ request }) => request))).toEqual(new Set(["", "r2"]));
  });

  test("each process has a load of its own, beside the one its driver stated", () => {
    const load = [stated({ load: "begin", model: "m" }, 0.1), ...evenly(lines, 0.2), stated({ load: "end", model: "m" }, 0.5)];
    const { events } = replay(llamaCompletion, [...load, process(), ...evenly(lines)]);
    const loads = events.filter(({ type }) => type.startsWith("load_"));
    expect(loads.map(({ type, clock, log }) => [type, clock, log])).toEqual([
      ["load_start", "host", undefined],
      ["load_end", "host", undefined],
      ["load_start", "log", 1],
      ["load_end", "log", 1],
    ]);
  });

  test("a log that begins anew without a word is the next one", () => {
    const { events } = replay(llamaCompletion, evenly([...lines, ...lines]));
    expect([...new Set(events.map(({ request, log }) => `${request} ${log}`))]).toEqual([" 0", "run 1 0", " 1", "run 2 1"]);
  });

  test("a process that dies keeps the tokens where the prompt was not shown", () => {
    const echo = lines.findIndex((line) => line.includes('"msg":"y"'));
    const shown = lines.filter((line, k) => !line.includes('"level":"none"') || k >= echo).slice(0, -13);
    const crash = stated({ request: "r1", end: "crash" }, 2);
    const { events } = replay(llamaCompletion, [process(["llama-completion", "--no-display-prompt"]), ...evenly(shown), crash]);
    const tokens = events.filter(({ type }) => type === "first_token" || type === "token");
    expect(tokens.map(({ tick }) => Math.round(tick * 1e6))).toEqual(times.slice(0, 6));
    expect(events.at(-1)).toMatchObject({ type: "request_end", outcome: "crash", clock: "log", tick: 0.026333 });
  });

  test("and where it was, only when it began and ended", () => {
    const crash = stated({ request: "r1", end: "crash" }, 2);
    const { events } = replay(llamaCompletion, [process(), ...evenly(lines.slice(0, -13)), crash]);
    expect(events.filter(({ request }) => request === "r1").map(({ type }) => type)).toEqual(["request_start", "request_end"]);
  });
});

describe("a log as text", () => {
  test.each([
    { name: "llama-completion-default", start: 0.059818, prompt_ms: 8.16, end: 0.09141 },
    { name: "llama-completion-perf-timestamps", start: 0.0345, prompt_ms: 2.49, end: 0.049644 },
  ])("$name", ({ name, start, prompt_ms, end }) => {
    const { events, unread } = replay(llamaCompletion, [process(), ...evenly(sampleLines(name))]);
    expect(unread).toEqual([]);
    const request = events.filter((event) => event.request === "r1");
    expect(request).toMatchObject([
      { type: "request_start", clock: "log", log: 0 },
      { type: "first_token", tokens: 13 },
      { type: "request_end", outputTokens: 24 },
    ]);
    expect(request[0]!.tick).toBeCloseTo(start, 9);
    expect(request[1]!.tick).toBeCloseTo(start + prompt_ms / 1e3, 9);
    expect(request[2]!.tick).toBeCloseTo(end, 9);
    expect(only(cut(events).windows, "request")).toMatchObject({ tokens: 24, flags: ["TOTALS_ONLY"] });
  });

  test("of node-llama-cpp: the totals of its context, two generations together", () => {
    const { events } = replay(llamaCompletion, evenly(sampleLines("node-llama-cpp-log")));
    // Each of the two sampled its first token in a prefill; the summary does not say that there were two.
    expect(events.map(({ type, tokens, outputTokens }) => [type, tokens ?? outputTokens])).toEqual([
      ["request_start", undefined],
      ["first_token", 88],
      ["request_end", 31],
    ]);
  });
});

describe("the summary alone", () => {
  const summary = (name: string, sample = "sample"): string[] => [
    `${name}:        load time =     900.00 ms`,
    `${name}:      ${sample} time =      20.00 ms /    51 runs   (    0.39 ms per token,  2550.00 tokens per second)`,
    `${name}: prompt eval time =     400.00 ms /    40 tokens (   10.00 ms per token,   100.00 tokens per second)`,
    `${name}:        eval time =    1000.00 ms /    50 runs   (   20.00 ms per token,    50.00 tokens per second)`,
    `${name}:       total time =    1500.00 ms /    90 tokens`,
  ];

  test.each(["llama_print_timings", "llama_perf_context_print", "common_perf_print"])("%s, placed by its arrival", (name) => {
    const { events, unread } = replay(llamaCompletion, evenly(summary(name), 5));
    expect(unread).toEqual([]);
    expect(events.map(({ type, tokens, outputTokens, clock }) => [type, tokens ?? outputTokens, clock])).toEqual([
      ["request_start", undefined, "host"],
      ["first_token", 40, "host"],
      ["request_end", 51, "host"],
    ]);
    expect(events[2]!.tick).toBeCloseTo(5, 9);
    expect(events[1]!.tick - events[0]!.tick).toBeCloseTo(0.4, 9);
    expect(events[2]!.tick - events[0]!.tick).toBeCloseTo(1.42, 9);
  });

  test("of a process all of its time is work, and none of it before the process began", () => {
    const { events } = replay(llamaCompletion, [process([], 3), ...evenly(summary("common_perf_print", "sampling"), 5)]);
    expect(events[0]).toMatchObject({ request: "r1", type: "request_start", tick: 3.5 });
    expect(replay(llamaCompletion, [process([], 4), ...evenly(summary("common_perf_print"), 5)]).events[0]!.tick).toBe(4);
  });

  test("what llama.cpp prints as one is none", () => {
    const [load, sample, prompt, , total] = summary("llama_perf_context_print");
    const none =
      "llama_perf_context_print:        eval time =       0.00 ms /     1 runs   (    0.00 ms per token,      inf tokens per second)";
    expect(replay(llamaCompletion, evenly([load!, sample!, prompt!, none, total!])).events.at(-1)).toMatchObject({ outputTokens: 1 });
    const short = prompt!.replace("400.00 ms /    40", "0.00 ms /     1");
    const all = replay(llamaCompletion, evenly([load!, sample!, short, summary("llama_perf_context_print")[3]!, total!])).events;
    expect(all[1]).toMatchObject({ type: "first_token", tokens: 1 });
    expect(all.at(-1)).toMatchObject({ outputTokens: 50 });
  });

  test("half of it, and then a whole one", () => {
    const lines = summary("common_perf_print");
    const { events } = replay(llamaCompletion, evenly([...lines.slice(0, 3), ...lines]));
    expect(events.map(({ type }) => type)).toEqual(["request_start", "first_token", "request_end"]);
  });
});

describe("llama-cli, the chat", () => {
  const lines = sampleLines("llama-cli-v0.5.0");
  const begin = { request: "r1", begin: "process", prompt_tokens: 5, output_tokens: 12 };

  test("rates and the counts of whoever asked make durations", () => {
    const { events, unread } = replay(llamaCli, [stated({ ...begin, argv: ["--ignore-eos"] }), ...evenly(lines)]);
    expect(unread).toEqual(["Exiting..."]);
    expect(events).toMatchObject([
      { type: "request_start" },
      { type: "first_token", tokens: 5 },
      { type: "request_end", outputTokens: 12 },
    ]);
    expect(events[1]!.tick - events[0]!.tick).toBeCloseTo(5 / 4953.9, 9);
    expect(events[2]!.tick - events[1]!.tick).toBeCloseTo(11 / 966.7, 9);
  });

  test("without them there are no tokens to count", () => {
    const { events } = replay(llamaCli, [stated({ ...begin, prompt_tokens: undefined }), ...evenly(lines)]);
    expect(events.map(({ type, outputTokens }) => [type, outputTokens])).toEqual([
      ["request_start", undefined],
      ["request_end", undefined],
    ]);
  });
});

test.each(["oom", "crash", "timeout"] as const)("a process that ended in %s before it began to generate", (outcome) => {
  const { events } = replay(llamaCompletion, [process([], 1), stated({ request: "r1", end: outcome }, 4)]);
  expect(events).toEqual([
    { request: "r1", clock: "host", type: "request_start", tick: 1 },
    { request: "r1", clock: "host", type: "request_end", tick: 4, outcome },
  ]);
});

test("a log's prefix counts minutes", () => {
  expect(logLine("2.05.250.001 I main: x")).toEqual({ text: "main: x", at_s: 125.250001 });
  expect(logLine("\u001b[0m\u001b[34m0.00.091.410\u001b[0m W x")).toEqual({ text: "x", at_s: 0.09141 });
  expect(logLine("2.65.250.001 I main: x").at_s).toBeUndefined();
});

test.each([
  ["a time that is none", "common_perf_print: prompt eval time =      nan ms /    13 tokens"],
  ["a time that does not end", "common_perf_print:        eval time =       inf ms /    13 runs"],
  ["a time below zero", "common_perf_print:        eval time =     -1.00 ms /    13 runs"],
  ["half a line", "common_perf_print: prompt eval time ="],
  ["half an object", '{"type":"log","time":25864,"lev'],
  ["a time of the log that is none", '{"type":"log","time":null,"level":"none","msg":"S"}'],
  ["somebody else", "Killed"],
])("%s is unread", (_, line) => {
  expect(llamaCompletion.open().push(line, 1e9)).toBeUndefined();
});

test("a summary's line of any generation", () => {
  expect(perfLine("llama_print_timings: prompt eval time =  1000.00 ms /    13 tokens")).toEqual({
    stage: "prompt",
    duration_s: 1,
    count: 13,
  });
  expect(perfLine("common_perf_print: unaccounted time =       1.23 ms /   3.9 %")).toBeUndefined();
});
