import { expect, test } from "vitest";
import { analyze } from "../../src/metrics/analyze.ts";
import type { Block } from "../../src/model/block.ts";
import { identityMap, type SessionSeconds } from "../../src/model/clock.ts";
import type { Window } from "../../src/model/measurement.ts";
import type { Recording } from "../../src/model/recording.ts";

/** 1.2 W idle, 9 W from 2.04 to 3.27 s, 5 W to 13.31 s, as exact means over tenths of a second, in blocks of `length`. */
const STEPS = [
  [0, 1.2],
  [2.04, 9],
  [3.27, 5],
  [13.31, 1.2],
  [16, 1.2],
] as const;
const energy_j = (from: number, to: number) =>
  STEPS.slice(0, -1).reduce(
    (sum, [start, power_w], i) => sum + power_w * Math.max(0, Math.min(to, STEPS[i + 1]![0]) - Math.max(from, start)),
    0,
  );

function recording(length: number, u_s = 0): Recording {
  const blocks: Block[] = [];
  for (let first = 0; first < 160; first += length) {
    const power_w = Float64Array.from({ length }, (_, k) => 10 * energy_j((first + k) / 10, (first + k + 1) / 10));
    const current_a = power_w.map((each) => each / 4);
    const ticks = { first: first + 1, step: 1 };
    blocks.push({
      source: "m",
      epoch: 0,
      sampler: "integrating",
      startTick: first,
      ticks,
      length,
      lostBefore: 0,
      columns: { "main.power_w": power_w, "main.current_a": current_a },
    });
  }
  const accuracy = { gain: 0, currentOffset_a: 0, voltageOffset_v: 0, currentResolution_a: 0, voltageResolution_v: 0, sampling_s: 0 };
  const maps = [{ ...identityMap("m", 0, u_s), pieces: [{ ...identityMap("m", 0, u_s).pieces[0]!, rate_hz: 10 }] }];
  return {
    measurand: { source: "m", channel: "main", accuracy },
    maps,
    events: [],
    readings: [],
    idle: [],
    faults: [],
    references: [],
    clocks: {},
    blocks: () => blocks,
  };
}

const at = (t: number) => t as SessionSeconds;
const window = (phase: Window["phase"], start_s: number, end_s: number, tokens: number): Window => ({
  phase,
  request: "a",
  start_s: at(start_s),
  end_s: at(end_s),
  tokens,
  flags: [],
});
const windows = [window("prefill", 2.04, 3.27, 100), window("decode", 3.27, 13.31, 100), window("request", 2.04, 13.31, 101)];

test.each([80, 4])("a 10 Hz meter's samples are split by the step of power at a phase edge (blocks of %i)", (length) => {
  const { summary } = analyze("s", recording(length), windows);
  const value = (name: string) => summary[name]!.value;
  expect(value("prefill_energy")).toBeCloseTo(9 * 1.23, 9);
  expect(value("decode_energy")).toBeCloseTo(5 * 10.04, 9);
  expect(value("prefill_energy") + value("decode_energy")).toBeCloseTo(value("request_energy"), 9);
});

test("where time is not known to a quarter of a sample, time alone splits it, and the budget says so", () => {
  const { summary, budget } = analyze("s", recording(80, 0.03), windows);
  expect(Math.abs(summary.prefill_energy!.value - 9 * 1.23)).toBeGreaterThan(0.1);
  expect(budget.prefill_energy!.find((each) => each.component === "edges")!.u).toBeGreaterThan(0.1);
  expect(Math.abs(summary.prefill_energy!.value - 9 * 1.23)).toBeLessThan(summary.prefill_energy!.expanded_uncertainty);
});

test("charge is current summed up, and comes with the voltage it was drawn at", () => {
  const { summary } = analyze("s", recording(80), windows);
  expect(summary.charge!.value).toBeCloseTo((9 * 1.23 + 5 * 10.04) / 4, 1);
  expect(summary.charge!.unit).toBe("C");
  expect(summary.mean_voltage!.value).toBeCloseTo(4, 2);
});
