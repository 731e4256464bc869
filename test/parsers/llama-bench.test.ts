import { describe, expect, test } from "vitest";
import { llamaBench } from "../../src/parsers/llama-bench.ts";
import { quotedCells } from "../../src/parsers/llama-bench-records.ts";
import { between, exponential, seeded } from "../../src/simulate/random.ts";
import { cut, evenly, type Heard, replay, sampleLines, stated } from "./replay.ts";

const begin = stated({ request: "b", begin: "bench", argv: ["llama-bench", "-r", "3"] });
const units = (heard: readonly Heard[]) => {
  const { events, unread } = replay(llamaBench, heard);
  const { windows, faults } = cut(events);
  expect(faults).toEqual([]);
  return { unread, units: windows.map(({ request, unit, tokens, start_s, end_s }) => ({ request, unit, tokens, start_s, end_s })) };
};

describe("a sample of each format", () => {
  test.each([
    ["llama-bench-json", [9273719, 9572735, 10095325], [28709552, 15485258, 10604765]],
    ["llama-bench-jsonl", [9581418, 9908336, 5676151], [13804239, 11327534, 9683770]],
  ])("%s: every run with its own duration, none over another", (name, prompt_ns, output_ns) => {
    const { units: found, unread } = units([begin, ...evenly(sampleLines(name))]);
    expect(unread).toEqual([]);
    expect(found.map(({ request, unit, tokens }) => [request, unit, tokens])).toEqual([
      ...prompt_ns.map(() => ["b pp64", "prompt token", 64]),
      ...output_ns.map(() => ["b tg32", "output token", 32]),
    ]);
    expect(found.map(({ start_s, end_s }) => Math.round((end_s - start_s) * 1e9))).toEqual([...prompt_ns, ...output_ns]);
    for (const [k, { start_s }] of found.entries()) if (k > 0) expect(start_s).toBeGreaterThanOrEqual(found[k - 1]!.end_s - 1e-9);
  });

  test.each([
    ["llama-bench-csv", 5520481, 10169445],
    ["llama-bench-sql", 5646295, 13149379],
  ])("%s: the runs of a test together, because only their mean is there", (name, prompt_ns, output_ns) => {
    const { units: found, unread } = units([begin, ...evenly(sampleLines(name))]);
    expect(unread).toEqual([]);
    expect(found.map(({ request, tokens }) => [request, tokens])).toEqual([
      ["b pp64", 192],
      ["b tg32", 96],
    ]);
    expect(found.map(({ start_s, end_s }) => Math.round((end_s - start_s) * 1e9))).toEqual([3 * prompt_ns, 3 * output_ns]);
    // Nobody says how many runs a mean is of.
    expect(units(evenly(sampleLines(name))).units).toEqual([]);
  });

  test("llama-bench-md: rates alone cannot be placed", () => {
    expect(units([begin, ...evenly(sampleLines("llama-bench-md"))])).toEqual({ units: [], unread: [] });
  });

  test("a table with progress: from the first run to the row", () => {
    const { units: found, unread } = units(evenly(sampleLines("llama-bench-progress-stderr"), 1, 1));
    expect(unread).toEqual([]);
    expect(found).toEqual([
      { request: "pp16", unit: "prompt token", tokens: 32, start_s: 5, end_s: 7 },
      { request: "tg8", unit: "output token", tokens: 16, start_s: 10, end_s: 12 },
    ]);
  });

  test("a table on stderr and records on stdout are the same tests", () => {
    const out = sampleLines("llama-bench-progress-stdout");
    const lines = sampleLines("llama-bench-progress-stderr");
    const both = (late: number) => [...lines.slice(0, 6 + late), out[0]!, ...lines.slice(6 + late), out[1]!];
    for (const late of [0, 1, 3]) {
      const { units: found, unread } = units(evenly(both(late), 1, 1));
      expect(unread).toEqual([]);
      const durations = found.map(({ tokens, start_s, end_s }) => [tokens, Math.round((end_s - start_s) * 1e9)]);
      expect(durations).toEqual([
        [16, 199297],
        [16, 145887],
        [8, 192838],
        [8, 156464],
      ]);
      expect(found.slice(0, 2).map(({ start_s }) => start_s)).toEqual([5, 6]);
    }
  });
});

/** A benchmark whose truth is known, heard late. */
function jittered(seed: number) {
  const random = seeded(seed);
  const least_s = 0.001;
  const truth: { start_s: number; duration_s: number }[] = [];
  const heard: Heard[] = [];
  let now_s = 10;
  let before_s = 0;
  const say = (line: string): void => {
    before_s = Math.max(before_s, now_s + least_s + exponential(random, 0.005));
    heard.push({ line, at_s: before_s });
  };
  for (const [t, [prompt, output]] of [[512, 0] as const, [0, 128] as const].entries()) {
    say(`llama-bench: benchmark ${t + 1}/2: starting`);
    now_s += 0.5;
    const samples: number[] = [];
    for (let run = 1; run <= 5; run++) {
      say(`llama-bench: benchmark ${t + 1}/2: ${prompt > 0 ? "prompt" : "generation"} run ${run}/5`);
      const duration_s = between(random, 0.2, 0.3);
      truth.push({ start_s: now_s, duration_s });
      samples.push(Math.round(duration_s * 1e9));
      now_s += duration_s + 1e-5;
    }
    say(JSON.stringify({ n_prompt: prompt, n_gen: output, n_depth: 0, avg_ns: 1, samples_ns: samples, test_time: "2026-11-21T00:28:04Z" }));
  }
  return { heard, truth, least_s };
}

test.each([1, 2, 3, 4])("runs through a jittery channel are where they were, late by the least latency (seed %i)", (seed) => {
  const { heard, truth, least_s } = jittered(seed);
  const { units: found } = units(heard);
  expect(found).toHaveLength(10);
  const late_s: number[] = [];
  for (const [k, { start_s, end_s }] of found.entries()) {
    expect(end_s - start_s).toBeCloseTo(truth[k]!.duration_s, 8);
    late_s.push(start_s - truth[k]!.start_s - least_s);
  }
  // Single lines are late by 5 ms on average, and by three times that one in twenty; between two runs 10 µs are lost.
  const inTest = (k: number) => late_s.slice(5 * k, 5 * k + 5);
  for (const late of [inTest(0), inTest(1)]) {
    for (const [k, each_s] of late.entries()) expect(each_s).toBeLessThan((late[k + 1] ?? 15e-3) + 2e-5);
    // The least of six delays of 5 ms: more than 5 ms once in four hundred.
    expect(late[0]).toBeLessThan(5e-3);
    expect(late[0]).toBeGreaterThan(-1e-4);
  }
});

test("filling the context to its depth is in no run", () => {
  const record = { n_prompt: 16, n_gen: 0, n_depth: 64, avg_ns: 1e9, samples_ns: [1e9, 1e9] };
  const lines: Heard[] = [
    { line: "llama-bench: benchmark 1/1: depth run 1/2", at_s: 1 },
    { line: "llama-bench: benchmark 1/1: prompt run 1/2", at_s: 4 },
    { line: "llama-bench: benchmark 1/1: depth run 2/2", at_s: 5.1 },
    { line: "llama-bench: benchmark 1/1: prompt run 2/2", at_s: 8 },
    { line: JSON.stringify(record), at_s: 9.1 },
  ];
  expect(units(lines).units.map(({ request, start_s, end_s }) => [request, start_s, end_s])).toEqual([
    ["pp16 @ d64", 4, 5],
    ["pp16 @ d64", 8, 9],
  ]);
});

test("prompt and output in one test are counted together", () => {
  const record = JSON.stringify({ n_prompt: 16, n_gen: 8, n_depth: 0, avg_ns: 1e9, samples_ns: [1e9] });
  expect(units([{ line: record, at_s: 3 }]).units).toEqual([{ request: "pp16+tg8", unit: "token", tokens: 24, start_s: 2, end_s: 3 }]);
});

describe("how a benchmark ends", () => {
  const lines = evenly(sampleLines("llama-bench-jsonl"));

  test("well: its units come with the driver's word, and no request", () => {
    const parser = llamaBench.open();
    for (const { line, at_s } of lines) expect(parser.push(line, at_s * 1e9)).toEqual([]);
    expect(parser.sent?.('{"request":"b","end":"ok"}', 3e9)).toHaveLength(12);
    expect(parser.end()).toEqual([]);
  });

  test("badly: what was done until then, and how it ended", () => {
    const { events } = replay(llamaBench, [begin, ...lines.slice(0, 1), stated({ request: "b", end: "oom" }, 4)]);
    expect(events.map(({ type }) => type)).toEqual([
      ...["unit_start", "unit_end", "unit_start", "unit_end", "unit_start", "unit_end"],
      "request_start",
      "request_end",
    ]);
    expect(events.at(-1)).toMatchObject({ request: "b", tick: 4, outcome: "oom" });
  });

  test("runs that would begin before the benchmark did are left out", () => {
    const { events } = replay(llamaBench, [
      stated({ request: "b", begin: "bench" }, 1),
      ...evenly(sampleLines("llama-bench-jsonl"), 1.02, 0.02),
    ]);
    expect(events.filter(({ type }) => type === "unit_end").map(({ request }) => request)).toEqual(["b tg32", "b tg32", "b tg32"]);
  });
});

test.each([
  ['"a","b, c","d ""e"""', ["a", "b, c", 'd "e"']],
  ["a, b,", ["a", "b", ""]],
  ['"a"b,c', undefined],
  ['"a', undefined],
])("cells of %s", (line, cells) => {
  expect(quotedCells(line, '"')).toEqual(cells);
});

test.each([
  ["half a record", '{"build_commit": "de3ff81", "n_prompt": 64, "n_gen"', []],
  ["a record of nothing", '{"n_prompt": 64}', undefined],
  ["a duration that is none", '{"n_prompt": 64, "n_gen": 0, "avg_ns": 1, "samples_ns": [null]}', undefined],
  ["a duration of a year", '{"n_prompt": 64, "n_gen": 0, "avg_ns": 1, "samples_ns": [3e16]}', undefined],
  ["a run of none", "llama-bench: benchmark 1/2: prompt run 0/2", undefined],
  ["other progress", "llama-bench: benchmark 1/2: polishing", undefined],
  ["a row without a header", "| a | pp64 | 1.00 ± 0.10 |", undefined],
  ["somebody else", "Killed", undefined],
])("%s", (_, line, read) => {
  expect(llamaBench.open().push(line, 1e9)).toEqual(read);
});
