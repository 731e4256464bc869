import { describe, expect, test } from "vitest";
import { identityMap } from "../../src/model/clock.ts";
import type { InferenceEvent } from "../../src/model/event.ts";
import { phases } from "../../src/windows/phases.ts";

const event = (type: InferenceEvent["type"], tick: number, extra: Partial<InferenceEvent> = {}): InferenceEvent => ({
  ...{ type, source: "dut", epoch: 0, tick, request: "r1" },
  ...extra,
});
const cut = (events: readonly InferenceEvent[]) => phases(events, [identityMap("dut", 0)]);

describe("a request that did not end well", () => {
  test("before its first token has an energy and no phases, and is no fault", () => {
    const { windows, faults, outcomes } = cut([event("request_start", 1), event("request_end", 3, { outcome: "oom" })]);
    expect(windows).toMatchObject([{ phase: "request", start_s: 1, end_s: 3, tokens: 0, flags: ["OUTCOME_OOM"] }]);
    expect([faults, outcomes]).toEqual([[], [{ request: "r1", outcome: "oom" }]]);
  });

  test("after some tokens keeps its phases, flagged", () => {
    const tokens = [event("first_token", 11, { tokens: 240 }), event("token", 12), event("token", 13)];
    const { windows, outcomes } = cut([event("request_start", 10), ...tokens, event("request_end", 14, { outcome: "crash" })]);
    expect(new Set(windows.flatMap(({ flags }) => flags))).toEqual(new Set(["OUTCOME_CRASH"]));
    expect(windows.map(({ phase }) => phase)).toContain("decode");
    expect(outcomes).toEqual([{ request: "r1", outcome: "crash" }]);
  });
});

test("a warm-up that did not end well is no result", () => {
  const warm = { request: "warmup-1" };
  const { outcomes } = cut([
    event("request_start", 1, warm),
    event("request_end", 2, { ...warm, outcome: "crash" }),
    event("request_start", 3),
    event("request_end", 4, { outcome: "oom" }),
  ]);
  expect(outcomes).toEqual([{ request: "r1", outcome: "oom" }]);
});

test("a unit that did not end well is flagged, and told", () => {
  const unit = { unit: "image" };
  const { windows, outcomes } = cut([event("unit_start", 1, unit), event("unit_end", 3, { ...unit, outcome: "crash" })]);
  expect(windows).toMatchObject([{ phase: "unit", flags: ["OUTCOME_CRASH", "INVALID"] }]);
  expect(outcomes).toEqual([{ request: "r1", outcome: "crash" }]);
});
