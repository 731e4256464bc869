import { expect, test } from "vitest";
import { expected_s, plannedSpan } from "../../src/rig/duration.ts";
import type { CellProgress } from "../../src/rig/queue.ts";
import { experiment, rigWith } from "./plan-engine.ts";

const cells = experiment(`baseline_s: 60
after_s: 30
settle_s: 2
timeout_s: 1000
workload: { kind: fixed, prompt_tokens: 1, output_tokens: 1, count: 5 }
pause_s: 3
warm_up: 2
cool_down: { below_degc: 40, hold_s: 20 }
axes: { workload.prompt_tokens: [1, 2, 3] }
order: given
`).cells;

test("a cell lasts at least its idle, its hold and its pauses, and at most what its work may", () => {
  // 60 + 30 + 2 of idle, 20 of hold, 4 pauses between five requests and 2 with the warm-up.
  expect(plannedSpan(cells[0]!, rigWith())).toEqual({ least_s: 112 + 18, most_s: 1112 });
});

test("what is left is expected to last as long as cells of the same parameters did, or as all did on average", () => {
  const ended = (at: number, took_s: number, state: "done" | "interrupted" = "done"): CellProgress => {
    const { index: cell, id, hash } = cells[at]!;
    return { state, at: "", cell, id, hash, attempt: 1, took_s };
  };
  expect(expected_s(cells, [])).toBeUndefined();
  expect(expected_s(cells, [ended(0, 5, "interrupted")])).toBeUndefined();
  expect(expected_s(cells, [ended(0, 100), ended(0, 110), ended(1, 300)])).toBeCloseTo(105 + 300 + 170, 9);
});
