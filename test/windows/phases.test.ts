import { describe, expect, test } from "vitest";
import { identityMap, type SessionSeconds, type TimeMap } from "../../src/model/clock.ts";
import type { InferenceEvent } from "../../src/model/event.ts";
import type { Window } from "../../src/model/measurement.ts";
import { phases } from "../../src/windows/phases.ts";

type Extra = Partial<InferenceEvent>;
const event = (type: InferenceEvent["type"], tick: number, extra: Extra = {}): InferenceEvent => ({
  ...{ type, source: "dut", epoch: 0, tick, request: "r1" },
  ...extra,
});
const maps = [identityMap("dut", 0)];
const cut = (events: readonly InferenceEvent[]) => phases(events, maps);

/** `phase[index] start..end xTokens flags`, which is all a window says besides its request. */
const show = ({ phase, index, start_s, end_s, tokens, flags }: Window): string =>
  [`${phase}${index ?? ""}`, `${start_s}..${end_s}`, `x${tokens}`, ...flags].join(" ");
const shown = (events: readonly InferenceEvent[]): string[] => cut(events).windows.map(show);
const faults = (events: readonly InferenceEvent[]): string[] =>
  cut(events).faults.map(({ code, count, detail }) => `${code} x${count}: ${detail}`);

const request = (name: string, from: number, extra: Extra = {}): InferenceEvent[] => [
  event("request_start", from, { request: name }),
  event("first_token", from + 1, { request: name, tokens: 240 }),
  event("token", from + 2, { request: name, tokens: 1 }),
  event("token", from + 3, { request: name, tokens: 1 }),
  event("request_end", from + 4, { request: name, ...extra }),
];

test("requests of a warm-up, by name or by phase, give no windows and no faults", () => {
  const warm = [...request("warmup-1", 0), ...request("r0", 5).map((each) => ({ ...each, phase: "warm-up" }))];
  expect(shown([...warm, ...request("r1", 10)])).toEqual(shown(request("r1", 10)));
  expect(faults([...warm.slice(1), ...request("r1", 10)])).toEqual([]);
  expect(cut(request("swarmup-1", 10)).windows).toHaveLength(6);
});

describe("a request with token events", () => {
  test("is cut into all its phases", () => {
    expect(shown(request("r1", 10))).toEqual([
      "request 10..13 x3",
      "prefill 10..11 x240",
      "decode 11..13 x2",
      "token0 11..12 x1",
      "token1 12..13 x1",
      "tail 13..14 x0",
    ]);
    expect(faults(request("r1", 10))).toEqual([]);
  });

  test("tokens tile the decode, and prefill and decode the request", () => {
    const { windows } = cut(request("r1", 10));
    const of = (phase: string) => windows.filter((w) => w.phase === phase);
    const tiles = of("token");
    expect(tiles[0]!.start_s).toBe(of("decode")[0]!.start_s);
    expect(tiles.at(-1)!.end_s).toBe(of("decode")[0]!.end_s);
    expect(tiles.reduce((sum, w) => sum + w.tokens, 0)).toBe(of("decode")[0]!.tokens);
    expect([of("prefill")[0]!.start_s, of("decode")[0]!.end_s]).toEqual([of("request")[0]!.start_s, of("request")[0]!.end_s]);
  });

  test("may have a prefill without length", () => {
    const events = [event("request_start", 1), event("first_token", 1, { tokens: 9 }), event("token", 2), event("request_end", 2)];
    expect(shown(events)).toEqual(["request 1..2 x2", "prefill 1..1 x9", "decode 1..2 x1", "token0 1..2 x1"]);
  });

  test("may complete several tokens at once", () => {
    const events = [
      ...[event("request_start", 0), event("first_token", 1, { tokens: 9 }), event("token", 2, { tokens: 3 })],
      ...[event("token", 3, { tokens: 1 }), event("token", 4, { tokens: 2 }), event("request_end", 4)],
    ];
    expect(shown(events)).toEqual([
      "request 0..4 x7",
      "prefill 0..1 x9",
      "decode 1..4 x6",
      "token0 1..2 x3",
      "token3 2..3 x1",
      "token4 3..4 x2",
    ]);
  });

  test("of one output token has no decode", () => {
    const events = [event("request_start", 0), event("first_token", 1, { tokens: 9 }), event("request_end", 3, { outputTokens: 1 })];
    expect(shown(events)).toEqual(["request 0..1 x1", "prefill 0..1 x9", "tail 1..3 x0"]);
  });

  test("that the engine counted otherwise says so", () => {
    expect(shown(request("r1", 0, { outputTokens: 5 }))[0]).toBe("request 0..3 x3 TOKEN_COUNT_MISMATCH");
  });

  test("ignores empty chunks", () => {
    const events = request("r1", 0).toSpliced(3, 0, event("token", 2.5, { tokens: 0 }));
    expect(shown(events)).toEqual(shown(request("r1", 0)));
  });
});

describe("an engine that gives totals only", () => {
  test("has a decode that ends with the request, and no tokens", () => {
    const events = [event("request_start", 0), event("first_token", 1, { tokens: 9 }), event("request_end", 11, { outputTokens: 101 })];
    expect(shown(events)).toEqual(["request 0..11 x101 TOTALS_ONLY", "prefill 0..1 x9 TOTALS_ONLY", "decode 1..11 x100 TOTALS_ONLY"]);
  });

  test("and no first token has a request only", () => {
    const events = [event("request_start", 0), event("request_end", 11, { outputTokens: 101 })];
    expect(shown(events)).toEqual(["request 0..11 x101 TOTALS_ONLY"]);
  });
});

describe("loads and units", () => {
  test("are what their events enclose", () => {
    const events = [
      ...[event("load_start", 0, { request: "model" }), event("load_end", 5, { request: "model" })],
      ...[event("unit_start", 6, { unit: "image" }), event("unit_end", 7, { unit: "image", count: 8, correct: 7 })],
      ...[event("unit_start", 7, { unit: "image", count: 4 }), event("unit_end", 9, { unit: "image" })],
    ];
    expect(shown(events)).toEqual(["load 0..5 x0", "unit 6..7 x8", "unit 7..9 x4"]);
    expect(cut(events).windows[1]).toMatchObject({ unit: "image", correct: 7 });
    expect(faults(events)).toEqual([]);
  });

  test("without a partner are faults", () => {
    const events = [
      event("load_end", 1, { request: "model" }),
      ...[event("unit_start", 2, { unit: "image" }), event("unit_start", 3, { unit: "image" }), event("unit_end", 4, { unit: "image" })],
      event("load_start", 5, { request: "model" }),
    ];
    expect(shown(events)).toEqual(["unit 3..4 x1"]);
    expect(faults(events)).toEqual([
      "unpaired_event x1: load_end model has no load_start",
      "unpaired_event x1: unit_start image r1 has no unit_end",
      "unpaired_event x1: load_start model has no end",
    ]);
  });

  test("that come twice or end before they start are faults", () => {
    const start = event("unit_start", 2, { unit: "image" });
    const end = event("unit_end", 3, { unit: "image" });
    expect(faults([start, start, end, end])).toEqual([
      "duplicate_event x1: unit_start image r1 came twice",
      "duplicate_event x1: unit_end image r1 came twice",
    ]);
    expect(shown([start, start, end, end])).toEqual(["unit 2..3 x1"]);
    expect(faults([start, event("unit_end", 1, { unit: "image" })])).toEqual([
      "late_event x1: unit_end image r1 is stamped before its start",
    ]);
  });
});

describe("missing events", () => {
  test.each([
    ["request_end", 4, "unpaired_event x1: request r1 has no request_end"],
    ["first_token", 1, "unpaired_event x1: request r1 has no first_token"],
    ["request_start", 0, "unpaired_event x4: request r1: 4 events came without request_start"],
  ])("%s: no windows, one fault", (_, k, fault) => {
    const events = request("r1", 0).toSpliced(k, 1);
    expect(shown(events)).toEqual([]);
    expect(faults(events)).toEqual([fault]);
  });

  test("a request that starts again gave up the first time", () => {
    const events = [event("request_start", 0), event("first_token", 1), ...request("r1", 5)];
    expect(shown(events)).toEqual(shown(request("r1", 5)));
    expect(faults(events)).toEqual(["unpaired_event x1: request r1 has no request_end"]);
  });

  test("a token after the end belongs to nothing", () => {
    const events = [...request("r1", 0), event("token", 9)];
    expect(shown(events)).toEqual(shown(request("r1", 0)));
    expect(faults(events)).toEqual(["unpaired_event x1: request r1: 1 events came after its request_end"]);
  });
});

describe("events that come twice", () => {
  test("count once", () => {
    const events = request("r1", 0);
    const stutter = events.flatMap((e) => [e, e]);
    expect(shown(stutter)).toEqual(shown(events));
    expect(faults(stutter).toSorted()).toEqual([
      "duplicate_event x1: request r1: first_token came twice",
      "duplicate_event x1: request r1: request_end came twice",
      "duplicate_event x1: request r1: request_start came twice",
      "duplicate_event x2: request r1: token events came twice",
    ]);
  });

  test("as a block count once, and are not taken for stamps that run back", () => {
    const events = request("r1", 0);
    const resent = events.toSpliced(4, 0, events[2]!, events[3]!);
    expect(shown(resent)).toEqual(shown(events));
    expect(faults(resent)).toEqual(["duplicate_event x2: request r1: token events came twice"]);
  });

  test("as a whole request count once", () => {
    const events = [...request("r1", 0), ...request("r1", 0)];
    expect(shown(events)).toEqual(shown(request("r1", 0)));
    expect(faults(events)).toEqual(["duplicate_event x5: request r1: the whole request came twice"]);
  });

  test("are tokens of their own where the engine's total counts them", () => {
    const coarse = (outputTokens: number) => [
      ...[event("request_start", 0), event("first_token", 1, { tokens: 9 })],
      ...[event("token", 2), event("token", 2), event("token", 3), event("request_end", 3, { outputTokens })],
    ];
    expect(shown(coarse(4))).toEqual(["request 0..3 x4", "prefill 0..1 x9", "decode 1..3 x3", "token0 1..2 x2", "token2 2..3 x1"]);
    expect(faults(coarse(4))).toEqual([]);
    expect(shown(coarse(3))[0]).toBe("request 0..3 x3");
    expect(faults(coarse(3))).toEqual(["duplicate_event x1: request r1: token events came twice"]);
  });

  test("a name used again is another request", () => {
    const { windows } = cut([...request("r1", 0), ...request("r1", 10)]);
    expect(windows.filter((w) => w.phase === "request").map((w) => w.request)).toEqual(["r1", "r1#2"]);
  });
});

describe("stamps that run back", () => {
  test("within the tokens are sorted and flagged", () => {
    const events = request("r1", 0);
    const swapped = [events[0]!, events[1]!, events[3]!, events[2]!, events[4]!];
    expect(shown(swapped)).toEqual(shown(events).map((each) => `${each} EVENTS_OUT_OF_ORDER`));
    expect(faults(swapped)).toEqual(["late_event x1: request r1: stamps run back"]);
  });

  test("never make a window that ends before it starts", () => {
    const events = [event("request_start", 5), event("first_token", 4), event("token", 7), event("token", 3), event("request_end", 6)];
    const { windows } = cut(events);
    expect(windows.every((w) => w.end_s >= w.start_s)).toBe(true);
    expect(windows.map(show)).toEqual([
      "decode 4..7 x2 EVENTS_OUT_OF_ORDER",
      "token0 4..7 x1 EVENTS_OUT_OF_ORDER",
      "request 5..7 x3 EVENTS_OUT_OF_ORDER",
    ]);
  });
});

describe("requests that overlap", () => {
  test("share one interval", () => {
    const events = [...request("a", 0), ...request("b", 2), ...request("c", 20)];
    const { windows } = cut(events);
    expect(windows.filter((w) => w.request !== "c").map(show)).toEqual(["request 0..5 x6 CONCURRENT"]);
    expect(windows[0]!.request).toBe("a+b");
    expect(windows.filter((w) => w.request === "c")).toHaveLength(6);
  });

  test("do not when one starts as the other ends", () => {
    const { windows } = cut([...request("a", 0), ...request("b", 4)]);
    expect(windows.some((w) => w.flags.includes("CONCURRENT"))).toBe(false);
  });

  test("also overlap across sources and with one that never ended", () => {
    const other = request("b", 2).map((e) => ({ ...e, source: "dut2" }));
    const { windows } = phases([...request("a", 0), ...other], [...maps, identityMap("dut2", 0)]);
    expect(windows.map(show)).toEqual(["request 0..5 x6 CONCURRENT"]);
    const unfinished = request("b", 2).slice(0, 3);
    expect(shown([...request("a", 0), ...unfinished])).toEqual(["request 0..3 x3 CONCURRENT"]);
  });

  test("keep the name short however many they are", () => {
    const events = Array.from({ length: 100 }, (_, k) => request(`r${k}`, k / 100)).flat();
    expect(cut(events).windows.map((w) => w.request)).toEqual(["r0+99 more"]);
  });
});

describe("clocks", () => {
  test("each source and epoch is mapped by its own", () => {
    const late: TimeMap = {
      ...identityMap("dut", 1),
      pieces: [{ ...identityMap("dut", 1).pieces[0]!, t0_s: 100 as SessionSeconds, rate_hz: 2 }],
    };
    const events = [...request("r1", 0), ...request("r1", 0).map((e) => ({ ...e, epoch: 1 }))];
    const { windows } = phases(events, [...maps, late]);
    expect(windows.filter((w) => w.phase === "request").map((w) => [w.request, w.start_s, w.end_s])).toEqual([
      ["r1", 0, 3],
      ["r1#2", 100, 101.5],
    ]);
  });

  test("events without a map are one fault and no windows", () => {
    const empty: TimeMap = { source: "dut", epoch: 0, pieces: [] };
    for (const none of [[], [empty], [identityMap("dut", 1)]]) {
      const { windows, faults: found } = phases(request("r1", 0), none);
      expect(windows).toEqual([]);
      expect(found).toMatchObject([{ source: "dut", code: "clock_unmapped", count: 1 }]);
    }
  });
});

test("300 000 tokens are cut without trouble", () => {
  const tokens = Array.from({ length: 300_000 }, (_, k) => event("token", 2 + k / 100));
  const { windows } = cut([event("request_start", 0), event("first_token", 1, { tokens: 1 }), ...tokens, event("request_end", 4000)]);
  expect(windows.filter((w) => w.phase === "token")).toHaveLength(300_000);
});
