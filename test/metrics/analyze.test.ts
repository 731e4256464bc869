import { expect, test } from "vitest";
import { analyze } from "../../src/metrics/analyze.ts";
import type { Block } from "../../src/model/block.ts";
import { identityMap, type SessionSeconds } from "../../src/model/clock.ts";
import type { Accuracy } from "../../src/model/instrument.ts";
import type { Window } from "../../src/model/measurement.ts";
import type { Recording } from "../../src/model/recording.ts";

const PERFECT: Accuracy = {
  gain: 0,
  currentOffset_a: 0,
  voltageOffset_v: 0,
  currentResolution_a: 0,
  voltageResolution_v: 0,
  sampling_s: 0,
};
const RATE_HZ = 100;

/** A meter that shows `power_w(t)` at 4 V and 100 Hz for 20 s, as integrating samples. */
function recording(power_w: (t: number) => number, more: Partial<Recording> = {}, accuracy: Partial<Accuracy> = {}): Recording {
  const length = 20 * RATE_HZ;
  const current_a = Float64Array.from({ length }, (_, k) => power_w((k + 0.5) / RATE_HZ) / 4);
  const block: Block = {
    source: "m",
    epoch: 0,
    sampler: "integrating",
    startTick: 0,
    ticks: { first: 1 / RATE_HZ, step: 1 / RATE_HZ },
    length,
    lostBefore: 0,
    columns: { "main.current_a": current_a, "main.voltage_v": new Float64Array(length).fill(4) },
  };
  return {
    measurand: { source: "m", channel: "main", accuracy: { ...PERFECT, ...accuracy } },
    maps: [identityMap("m", 0)],
    events: [],
    readings: [],
    idle: [
      [0, 4],
      [16, 20],
    ],
    faults: [],
    references: [],
    clocks: {},
    blocks: () => [block],
    ...more,
  };
}

const at = (t: number) => t as SessionSeconds;
function request(name: string, [start, first, last]: readonly [number, number, number], tokens: number): Window[] {
  const about = { request: name, flags: [] };
  return [
    { ...about, phase: "prefill", start_s: at(start), end_s: at(first), tokens: 100 },
    { ...about, phase: "decode", start_s: at(first), end_s: at(last), tokens: tokens - 1 },
    { ...about, phase: "request", start_s: at(start), end_s: at(last), tokens },
  ];
}

/** 1 W idle, 9 W while prefilling [5, 6), 5 W while decoding [6, 10). */
const load = (t: number) => (t < 5 || t >= 10 ? 1 : t < 6 ? 9 : 5);
const oneRequest = request("a", [5, 6, 10], 41);

test("phases, per-token values and net values of a plain request", () => {
  const { summary, baseline } = analyze("s", recording(load), oneRequest);
  const value = (name: string) => summary[name]!.value;
  expect(value("prefill_energy")).toBeCloseTo(9, 10);
  expect(value("prefill_energy_per_prompt_token")).toBeCloseTo(0.09, 12);
  expect(value("decode_energy_per_token")).toBeCloseTo(0.5, 12);
  expect(value("decode_energy_per_token_net")).toBeCloseTo(0.4, 12);
  expect(value("request_energy_per_output_token")).toBeCloseTo(29 / 41, 12);
  expect(value("energy_delay_product")).toBeCloseTo(29 * 5, 9);
  expect(value("mean_power")).toBeCloseTo(29 / 5, 12);
  expect(baseline).toMatchObject({ power_w: expect.closeTo(1, 12), name: expect.stringMatching(/^cold idle, median of 4 means/) });
});

test("a warm device idles higher: both are reported, and net values refer to the cold one", () => {
  const warm = (t: number) => (t >= 10 ? 1.3 : load(t));
  const { summary } = analyze("s", recording(warm), oneRequest);
  expect(summary.idle_power_cold!.value).toBeCloseTo(1, 12);
  expect(summary.idle_power_hot!.value).toBeCloseTo(1.3, 12);
  expect(summary.decode_energy_per_token_net!.value).toBeCloseTo(0.4, 12);
});

test("gain and an offset of the voltage act on gross and on net energy, an offset of the current cancels in the net", () => {
  const accuracy = { gain: 0.01, currentOffset_a: 0.002, voltageOffset_v: 0.004 };
  const { summary, budget } = analyze("s", recording(load, {}, accuracy), oneRequest);
  const u = (name: string, component: string) => budget[name]!.find((each) => each.component === component)?.u ?? 0;
  expect(u("decode_energy", "gain")).toBeCloseTo(0.2, 10);
  expect(u("decode_energy_net", "gain")).toBeCloseTo(0.16, 10);
  expect(u("decode_energy", "current offset")).toBeCloseTo(0.002 * 4 * 4, 10);
  expect(u("decode_energy_net", "current offset")).toBe(0);
  expect(u("decode_energy", "voltage offset")).toBeCloseTo(20 * (0.004 / 4), 10);
  expect(u("decode_energy_net", "voltage offset")).toBeCloseTo(16 * (0.004 / 4), 10);
  expect(summary.decode_energy!.expanded_uncertainty).toBeGreaterThan(0.4);
});

test("a clock that is off moves a whole window: what it gains at one edge it loses at the other", () => {
  const u_s = 0.003;
  const stretch = (Math.SQRT2 * u_s) / 20;
  const maps = [identityMap("m", 0), identityMap("d", 0, u_s)];
  const events = [{ type: "request_start" as const, source: "d", epoch: 0, tick: 5, request: "a" }];
  const { budget } = analyze("s", recording(load, { maps, events }), oneRequest);
  const clock = budget.prefill_energy!.find((each) => each.component === "clock")!;
  expect(clock.u).toBeCloseTo(Math.hypot((Math.hypot(9 - 1, 5 - 9) / Math.SQRT2) * u_s, 9 * stretch), 6);
  const decode = budget.decode_energy!.find((each) => each.component === "clock")!;
  expect(decode.u).toBeCloseTo(Math.hypot((Math.hypot(5 - 9, 1 - 5) / Math.SQRT2) * u_s, 20 * stretch), 6);
});

test("an instant that a sample cannot name better than u moves a step's worth of power, at each edge anew", () => {
  const { budget } = analyze("s", recording(load, {}, { sampling_s: 2e-3 }), oneRequest);
  const u = budget.prefill_energy!.find((each) => each.component === "edges")!.u;
  expect(u).toBeCloseTo(Math.hypot(8, 4) * Math.hypot(2e-3, 0.01 / Math.sqrt(30)), 8);
});

test("a slow analogue input is budgeted by its time constant and the rise of power over the window", () => {
  const { budget } = analyze("s", recording(load, {}, { timeConstant_s: 1e-3 }), oneRequest);
  const u = budget.prefill_energy!.find((each) => each.component === "bandwidth")!.u;
  expect(u).toBeCloseTo((8 * 1e-3) / Math.sqrt(3), 8);
});

test.each([
  [0.2, []],
  [0.19, ["TOKEN_RESOLUTION_INSUFFICIENT"]],
])("a token of %f s at 100 Hz has flags %j", (length_s, flags) => {
  const token: Window = { phase: "token", request: "a", start_s: at(6), end_s: at(6 + length_s), tokens: 1, index: 0, flags: [] };
  const { measurements } = analyze("s", recording(load), [...oneRequest, token]);
  expect(measurements.find((each) => each.name === "token_energy")!.flags).toEqual(flags);
});

test("marginal energy is the slope over output lengths, given five of them at one prompt length", () => {
  const windows = [8, 16, 24, 32, 40].flatMap((tokens, i) =>
    request(`r${i}`, [5 + 0.9 * i, 5.1 + 0.9 * i, 5.1 + 0.9 * i + tokens * 0.02], tokens + 1),
  );
  const { summary } = analyze(
    "s",
    recording(() => 5),
    windows,
  );
  expect(summary.marginal_energy_per_output_token!.value).toBeCloseTo(0.1, 9);
  expect(
    analyze(
      "s",
      recording(() => 5),
      windows.slice(3),
    ).summary.marginal_energy_per_output_token,
  ).toBeUndefined();
});

test("a full battery lasts for its energy over that of a request", () => {
  const { summary } = analyze("s", recording(load, { battery_j: 58_000 }), oneRequest);
  expect(summary.requests_per_charge).toMatchObject({ value: expect.closeTo(2000, 6), unit: "1" });
});

test("no samples, no values: null, never zero, and the session is not valid", () => {
  const { measurements, validity } = analyze("s", recording(load, { blocks: () => [] }), oneRequest);
  expect(measurements.filter((each) => each.value === 0)).toEqual([]);
  expect(measurements.find((each) => each.name === "decode_energy")).toMatchObject({ value: null, uncertainty: null, coverage: 0 });
  expect(validity.find((each) => each.rule === "measured")).toMatchObject({ pass: false, level: "FAIL" });
});
