import { describe, expect, test } from "vitest";
import type { LoggedEvent } from "../../src/model/parser.ts";
import { llmfarm } from "../../src/parsers/llmfarm.ts";
import { mlc } from "../../src/parsers/mlc.ts";
import { seeded } from "../../src/simulate/random.ts";
import { appRecords, CONVERSATIONS, EPOCH_S, llmFarmEvents, llmFarmTimings, mlcEvents } from "./app-files.ts";
import { cut, evenly, only, replay, stated } from "./replay.ts";

const read = (kind: typeof mlc, lines: readonly string[]) => replay(kind, evenly(lines));
const tokensOf = (events: readonly LoggedEvent[]): number[][] => {
  const found = new Map<string, number[]>();
  for (const { type, request, tick } of events) {
    if (type === "first_token" || type === "token") found.set(request, [...(found.get(request) ?? []), Math.round((tick - EPOCH_S) * 1e3)]);
  }
  return [...found.values()];
};
const NAMES = ["conv0 prompt0", "conv0 prompt1", "conv1 prompt0", "conv1 prompt1"];
const TRUTH_MS = CONVERSATIONS.flat().map(({ tokens_s }) => tokens_s.map((at_s) => Math.round(at_s * 1e3)));

describe.each([1, 2, 3])("MLC Chat's events, in whatever order (seed %i)", (seed) => {
  test("alone: tokens at their instants, of the prompt before them", () => {
    const { events, unread } = read(mlc, mlcEvents(seeded(seed)));
    expect(unread).toEqual([]);
    expect(events.every(({ clock }) => clock === "realtime")).toBe(true);
    expect(events.filter(({ type }) => type === "request_start").map(({ request }) => request)).toEqual(NAMES);
    expect(tokensOf(events)).toEqual(TRUTH_MS);
    const { windows, faults } = cut(events);
    expect(faults).toEqual([]);
    expect(windows.filter(({ phase }) => phase === "request").map(({ tokens }) => tokens)).toEqual([4, 3, 2, 5]);
    expect(windows.filter(({ phase }) => phase === "load")).toHaveLength(2);
  });

  test("with records: their counts, start and end", () => {
    const { events, unread } = read(mlc, [JSON.stringify(appRecords()), ...mlcEvents(seeded(seed))]);
    expect(unread).toEqual([]);
    expect(tokensOf(events)).toEqual(TRUTH_MS);
    expect(events.filter(({ type }) => type === "first_token").map(({ tokens }) => tokens)).toEqual([40, 12, 33, 7]);
    expect(events.filter(({ type }) => type === "request_end").map(({ outputTokens }) => outputTokens)).toEqual([4, 3, 2, 5]);
    expect(events.find(({ type }) => type === "request_start")!.tick).toBe(EPOCH_S + 1);
    const { windows, faults } = cut(events);
    expect(faults).toEqual([]);
    expect(windows.filter(({ phase }) => phase === "request").every(({ flags }) => flags.length === 0)).toBe(true);
    expect(windows.filter(({ phase }) => phase === "load")).toHaveLength(2);
  });
});

test("two tokens of one millisecond stay two", () => {
  const base = `${EPOCH_S}`;
  const lines = [
    `prefill.0.start,${base}000000000`,
    `prefill.0.end,${base}100000000`,
    ...[0, 1, 2].map((k) => `generate.decode.${k}.end,${base}10${k === 0 ? 0 : 1}000000`),
  ];
  const record = { time: { start: EPOCH_S, duration: 0.2 }, input_tokens: 3, output_tokens: 3 };
  const { events } = read(mlc, [...lines, JSON.stringify([{ chatRecords: [record] }])]);
  expect(only(cut(events).windows, "request")).toMatchObject({ tokens: 4, flags: [] });
});

describe("MLC Chat's records alone", () => {
  test.each([" ", "_"] as const)("give totals, spelt total%stokens", (spelling) => {
    const printed = JSON.stringify(appRecords(spelling), null, 2).split("\n");
    const { events, unread } = read(mlc, printed);
    expect(unread).toEqual([]);
    const { windows, faults } = cut(events);
    expect(faults).toEqual([]);
    const requests = windows.filter(({ phase }) => phase === "request");
    expect(requests.map(({ request, tokens, flags }) => [request, tokens, flags])).toEqual(
      [4, 3, 2, 5].map((tokens, k) => [NAMES[k], tokens, ["TOTALS_ONLY"]]),
    );
    const firsts = events.filter(({ type }) => type === "first_token");
    expect(firsts.map(({ tokens }) => tokens)).toEqual([40, 12, 33, 7]);
    // The rate has one digit after its point, which is a part in a thousand here.
    for (const [k, { tick }] of firsts.entries()) expect(Math.abs(tick - EPOCH_S - TRUTH_MS[k]![0]! / 1e3)).toBeLessThan(1e-3);
  });

  test("older files write times as ISO", () => {
    const record = { time: { start: "2024-02-05T15:09:18.386Z", duration: 2 }, input_tokens: 3, output_tokens: 3 };
    const { events } = read(mlc, [JSON.stringify([{ chatRecords: [record] }])]);
    expect(events[0]).toMatchObject({ type: "request_start", tick: 1707145758.386 });
  });
});

describe("MLC's statistics as they are printed", () => {
  const stats =
    '{"prefill":{"throughput":"283.4 tok/s","total tokens":"47 tok","total time":"0.2 s"},"decode":{"throughput":"22.7 tok/s","total tokens":"255 tok","total time":"11.3 s"}}';

  test("end where they came, and count the token sampled in the prefill", () => {
    const begin = stated({ request: "r", begin: "chat" }, 5);
    const { events } = replay(mlc, [begin, { line: stats, at_s: 20 }, stated({ request: "r", end: "ok" }, 21)]);
    expect(events).toMatchObject([
      { type: "request_start", request: "r", clock: "host" },
      { type: "first_token", tokens: 47 },
      { type: "request_end", outputTokens: 256, tick: 20 },
    ]);
    expect(events).toHaveLength(3);
    expect(events[2]!.tick - events[0]!.tick).toBeCloseTo(47 / 283.4 + 255 / 22.7, 9);
  });

  test("the short form has no counts", () => {
    expect(read(mlc, ["prefill: 283.4 tok/s, decode: 22.7 tok/s"])).toEqual({ events: [], unread: [] });
  });
});

describe("LLMFarm", () => {
  test.each([true, false])("samples of tokens: %s; else decodes after those of the prefill", (samples) => {
    const { events, unread } = read(llmfarm, [...llmFarmEvents(seeded(4), { samples }), ...llmFarmTimings()]);
    expect(unread).toEqual([]);
    const { windows, faults } = cut(events);
    expect(faults).toEqual([]);
    const requests = windows.filter(({ phase }) => phase === "request");
    expect(requests.map(({ request, tokens, flags }) => [request, tokens, flags])).toEqual(
      [4, 3, 2, 5].map((tokens, k) => [NAMES[k], tokens, []]),
    );
    expect(windows.filter(({ phase }) => phase === "prefill").map(({ tokens }) => tokens)).toEqual([40, 12, 33, 7]);
    const late_ms = samples ? 0 : 0.1;
    for (const [k, tokens] of tokensOf(events).entries()) {
      for (const [j, at_ms] of tokens.entries()) expect(Math.abs(at_ms + late_ms - TRUTH_MS[k]![j]!)).toBeLessThanOrEqual(1);
    }
  });

  test("decodes alone do not say which are the prefill's", () => {
    const { events } = read(llmfarm, llmFarmEvents(seeded(4), { samples: false }));
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(["request_start", "request_end"]));
  });

  test("its rows are no events of MLC", () => {
    expect(read(mlc, llmFarmTimings()).unread).toHaveLength(5);
  });
});

describe("with a driver", () => {
  const begin = stated({ request: "r", begin: "chat" }, 1);
  const lines = mlcEvents(seeded(1)).filter((line) => !line.startsWith("reload"));

  test("the only prompt between begin and end has the driver's name", () => {
    const one = lines.filter((line) => /^(?:prefill\.0|generate\.decode\.[012])\./.test(line)).slice(0, 8);
    const { events } = replay(mlc, [begin, ...evenly(one), stated({ request: "r", end: "ok" }, 9)]);
    expect(new Set(events.map(({ request }) => request))).toEqual(new Set(["r"]));
  });

  test("a request of which nothing was found has begun and ended", () => {
    const { events } = replay(mlc, [begin, stated({ request: "r", end: "oom" }, 9)]);
    expect(events).toEqual([
      { request: "r", clock: "host", type: "request_start", tick: 1 },
      { request: "r", clock: "host", type: "request_end", tick: 9, outcome: "oom" },
    ]);
  });
});

test.each([
  ["a stamp too short", "prefill.0.start,170714575800"],
  ["a stamp that is none", "prefill.0.start,NaN"],
  ["half a row", "generate.decode.12.en"],
  ["half a record's end", '"total tokens":"255 tok"}'],
  ["somebody else", "am_crash: [1234,0,app]"],
])("%s is unread", (_, line) => {
  expect(mlc.open().push(line, 1e9)).toBeUndefined();
  expect(llmfarm.open().push(line, 1e9)).toBeUndefined();
});
