import { describe, expect, test } from "vitest";
import { analyze } from "../../src/metrics/analyze.ts";
import { partsAddUp, valuesAgree } from "../../src/metrics/checks.ts";
import type { Evidence } from "../../src/metrics/evidence.ts";
import type { Alignment } from "../../src/model/alignment.ts";
import { type Block, tickAt } from "../../src/model/block.ts";
import { identityMap, type SessionSeconds } from "../../src/model/clock.ts";
import type { Fault, FaultCode } from "../../src/model/errors.ts";
import type { InferenceEvent } from "../../src/model/event.ts";
import type { Accuracy } from "../../src/model/instrument.ts";
import type { Window } from "../../src/model/measurement.ts";
import type { Recording } from "../../src/model/recording.ts";
import type { RequestOutcome } from "../../src/model/results.ts";

const RATE_HZ = 100;
const END_S = 160;
const REQUESTS = 6;
const FIRST_S = 61;
const IDLE: [number, number][] = [
  [0, 60],
  [99, 159],
];
const PERFECT: Accuracy = {
  gain: 0,
  currentOffset_a: 0,
  voltageOffset_v: 0,
  currentResolution_a: 0,
  voltageResolution_v: 0,
  sampling_s: 0,
};
const start = (k: number): number => FIRST_S + 6 * k;

/** 1 W idle; each request prefills for 1.2 s at 9 W and decodes for 4 s at 5 W. */
function load(t: number): number {
  const within = (t - FIRST_S) % 6;
  if (t < FIRST_S || t >= start(REQUESTS) || within >= 5.2) return 1;
  return within < 1.2 ? 9 : 5;
}

const oom = (request: string): RequestOutcome => ({ request, outcome: "oom" });

interface Bench {
  readonly power_w?: (t: number) => number;
  /** Samples that end in this stretch are missing. */
  readonly missing?: readonly [number, number];
  readonly requests?: number;
  readonly prefill_s?: number;
  readonly accuracy?: Partial<Accuracy>;
  readonly more?: Partial<Recording>;
}

function blocksOf(power_w: (t: number) => number, [from_s, to_s]: readonly [number, number]): Block[] {
  const stretches = [
    [0, from_s],
    [to_s, END_S],
  ] as const;
  return stretches.flatMap(([a_s, b_s], i): Block[] => {
    const length = Math.round((b_s - a_s) * RATE_HZ);
    if (length <= 0) return [];
    const column = Float64Array.from({ length }, (_, k) => power_w(a_s + (k + 0.5) / RATE_HZ) / 4);
    return [
      {
        source: "m",
        epoch: 0,
        sampler: "integrating",
        startTick: a_s,
        ticks: { first: a_s + 1 / RATE_HZ, step: 1 / RATE_HZ },
        length,
        lostBefore: i === 0 ? 0 : Math.round((to_s - from_s) * RATE_HZ),
        columns: { "main.current_a": column, "main.voltage_v": new Float64Array(length).fill(4) },
      },
    ];
  });
}

const at = (t: number) => t as SessionSeconds;
function windowsOf(k: number, prefill_s: number): Window[] {
  const [begin, first, last] = [start(k), start(k) + prefill_s, start(k) + 5.2];
  const about = { request: `r${k}`, flags: [] };
  const token = (i: number): Window => ({
    ...about,
    phase: "token",
    index: i,
    start_s: at(first + ((last - first) * i) / 4),
    end_s: at(first + ((last - first) * (i + 1)) / 4),
    tokens: 1,
  });
  return [
    { ...about, phase: "prefill", start_s: at(begin), end_s: at(first), tokens: 100 },
    { ...about, phase: "decode", start_s: at(first), end_s: at(last), tokens: 4 },
    { ...about, phase: "request", start_s: at(begin), end_s: at(last), tokens: 5 },
    ...[0, 1, 2, 3].map(token),
  ];
}

const asInstants = (block: Block): Block => ({ ...block, sampler: "point", startTick: tickAt(block, 0) });

const train = (at_s: number, offset_s: number): Alignment => ({
  kind: "pulses",
  at_s,
  found: true,
  offset_s,
  u_s: 1e-4,
  tau_s: 1e-3,
  peak: 1,
  gap: 0.5,
});
const event: InferenceEvent = { type: "request_start", source: "d", epoch: 0, tick: FIRST_S, request: "r0" };
const fault = (code: FaultCode): Partial<Recording> => ({ faults: [{ source: "m", code, count: 3, at_s: 1 } satisfies Fault] });
const temperatures = (value: (t: number) => number, channel = "temperature_degc:skin"): Partial<Recording> => ({
  readings: Array.from({ length: 60 }, (_, t) => ({ source: "d", epoch: 0, channel, tick: t, value: value(t) })),
});
/** The device's clock, known within `bound_s` for certain. */
const bounded = (bound_s: number) => {
  const map = identityMap("d", 0);
  return [identityMap("m", 0), { ...map, pieces: map.pieces.map((each) => ({ ...each, bound_s })) }];
};

function results({ power_w = load, missing = [END_S, END_S], requests = REQUESTS, prefill_s = 1.2, accuracy = {}, more = {} }: Bench = {}) {
  const blocks = blocksOf(power_w, missing);
  const recording: Recording = {
    measurand: { source: "m", channel: "main", accuracy: { ...PERFECT, ...accuracy } },
    maps: bounded(3e-4),
    events: [event],
    readings: [],
    idle: IDLE,
    faults: [],
    references: [],
    clocks: { "m/0": { rate_ppm: -1200, windows_beyond_limit: 0 }, "d/0": { rate_ppm: 37, bound_s: 3e-4, cross_check_s: 1e-4 } },
    alignment: [train(1, 1e-4), train(100, 2e-4)],
    planned: 5,
    blocks: () => blocks,
    ...more,
  };
  const windows = Array.from({ length: requests }, (_, k) => windowsOf(k, prefill_s)).flat();
  return analyze("s", recording, windows);
}

const validity = (bench?: Bench) => results(bench).validity;

/** Rules that do not hold, with their levels. */
const unmet = (bench?: Bench): Record<string, string> =>
  Object.fromEntries(validity(bench).flatMap(({ rule, level, pass }) => (pass ? [] : [[rule, level]])));

test("a session in order meets every rule", () => {
  expect(unmet()).toEqual({});
});

const CASES: Record<string, readonly [Bench, Record<string, string>]> = {
  "no samples": [
    { missing: [0, END_S] },
    { measured: "FAIL", requests: "FAIL", coverage: "WARN", gaps: "WARN", edges: "WARN", baseline: "WARN" },
  ],
  "four requests": [{ requests: 4 }, { requests: "FAIL" }],
  "failures that are results are not missing": [{ requests: 4, more: { planned: 6, mayFail: true, outcomes: [oom("a"), oom("b")] } }, {}],
  "a failure that both its unit and its request tell of is one": [
    { requests: 4, more: { planned: 6, mayFail: true, outcomes: [oom("a"), oom("a")] } },
    { requests: "FAIL" },
  ],
  "missing requests are, beside failures that are results": [
    { requests: 4, more: { planned: 6, mayFail: true, outcomes: [oom("a")] } },
    { requests: "FAIL" },
  ],
  "fewer requests than planned": [{ more: { planned: 7 } }, { requests: "FAIL" }],
  "a long gap inside a decode": [{ missing: [start(0) + 2, start(0) + 3.5] }, { coverage: "WARN", gaps: "WARN" }],
  "a gap between two requests": [{ missing: [start(1) - 0.5, start(1) - 0.2] }, {}],
  "a gap at an edge": [{ missing: [start(0) + 1.15, start(0) + 1.25] }, { coverage: "WARN", gaps: "WARN", edges: "WARN" }],
  "a short gap inside a decode": [{ missing: [start(0) + 3, start(0) + 3.02] }, { gaps: "WARN" }],
  "lost samples": [{ more: fault("lost_samples") }, { samples: "WARN" }],
  "the end of the range": [{ more: fault("over_range") }, { range: "FAIL" }],
  "an overflow": [{ more: fault("arithmetic_overflow") }, { range: "FAIL" }],
  "nothing but zeros": [{ power_w: () => 0 }, { signal: "FAIL" }],
  "always the same": [{ power_w: () => 2.5 }, { signal: "WARN" }],
  "instants instead of means": [{ more: { blocks: () => blocksOf(load, [END_S, END_S]).map(asInstants) } }, { sampler: "WARN" }],
  "coarse counts": [{ accuracy: { currentResolution_a: 0.01 } }, { resolution: "WARN" }],
  "no calibration where the rig wants one": [{ more: { calibration: { limit_days: 90 } } }, { calibration: "FAIL" }],
  "an old calibration": [{ more: { calibration: { age_days: 91, limit_days: 90 } } }, { calibration: "FAIL" }],
  "a calibration long after the session": [{ more: { calibration: { age_days: -91, limit_days: 90 } } }, { calibration: "FAIL" }],
  "a calibration of last week": [{ more: { calibration: { age_days: 7, limit_days: 90 } } }, {}],
  "an old calibration nobody minds": [{ more: { calibration: { age_days: 5000 } } }, {}],
  "a clock that was not fitted": [{ more: fault("clock_unmapped") }, { clocks: "FAIL" }],
  "a monitor beyond its kind of clock": [
    { more: { clocks: { "m/0": { rate_ppm: -10_000, windows_beyond_limit: 2 } } } },
    { clock_rates: "FAIL" },
  ],
  "a device no crystal explains": [{ more: { clocks: { "d/0": { rate_ppm: 620, bound_s: 3e-4 } } } }, { clock_rates: "FAIL" }],
  "a slow way to the device": [{ more: { maps: bounded(0.004) } }, { clock_bound: "WARN" }],
  "power half a second late": [{ more: { alignment: [train(1, 0.5), train(100, 0.5)] } }, { alignment: "FAIL" }],
  "nothing aligned": [{ more: { alignment: [] } }, { alignment: "WARN" }],
  "a clock that stepped": [{ more: fault("clock_step") }, { clock_steps: "WARN" }],
  "two estimators at odds": [{ more: fault("clock_disagreement") }, { clock_agreement: "WARN" }],
  "a short baseline": [{ more: { idle: [[0, 30], IDLE[1]!] } }, { baseline: "WARN" }],
  "no idle": [{ more: { idle: [] } }, { baseline: "WARN" }],
  "a job inside the baseline": [{ power_w: (t) => load(t) + (t >= 20 && t < 26 ? 0.5 : 0) }, { idle_steady: "WARN" }],
  "a warm device": [{ power_w: (t) => load(t) + (t >= 98 ? 0.15 : 0) }, { idle_change: "WARN" }],
  "a job through the whole baseline": [{ power_w: (t) => load(t) + (t < 60 ? 0.3 : 0) }, { idle_change: "WARN" }],
  "a device that warms up while idle": [{ more: temperatures((t) => 30 + t / 15) }, { temperature: "WARN" }],
  "a temperature that holds": [{ more: temperatures(() => 31) }, {}],
  "another quantity that drifts": [{ more: temperatures((t) => 1e9 * t, "frequency_hz:cpu0") }, {}],
  "prefills of 0.8 s": [{ prefill_s: 0.8, power_w: (t) => load(t) }, { windows: "WARN" }],
  "swapped leads": [{ power_w: (t) => -load(t) }, { power: "WARN" }],
  "events without counterpart": [{ more: fault("unpaired_event") }, { events: "WARN" }],
  "a tape that was cut off": [{ more: fault("tape_truncated") }, { tape: "FAIL" }],
};

describe("what is wrong, and the rules that say so", () => {
  test.each(Object.entries(CASES))("%s", (_, [bench, expected]) => {
    expect(unmet(bench)).toEqual(expected);
  });
});

describe("the program's own sums", () => {
  const energy = (phase: string, start_s: number, end_s: number, energy_j: number) => ({
    window: { phase, request: "a", start_s, end_s },
    energy_j,
  });
  const evidence = (decode_j: number) =>
    ({ energies: [energy("prefill", 0, 1, 9), energy("decode", 1, 5, decode_j), energy("request", 0, 5, 29)] }) as unknown as Evidence;

  test("phases that do not make up their request fail", () => {
    expect(partsAddUp(evidence(20))[0]).toBe(true);
    expect(partsAddUp(evidence(20 + 5e-8))).toEqual([false, "1 of 1 sums of phases or tokens are not their wholes"]);
  });

  test("J/token × token/s that is not W fails", () => {
    const value = (number: number) => ({ value: number, unit: "", expanded_uncertainty: 0, k: 2, n: 5 });
    const summary = (power_w: number) =>
      ({
        summary: { decode_energy_per_token: value(0.2), decode_rate: value(25), decode_mean_power: value(power_w) },
      }) as unknown as Evidence;
    expect(valuesAgree(summary(5))[0]).toBe(true);
    expect(valuesAgree(summary(5.01))[0]).toBe(false);
  });
});

test("a baseline with a job in it flags idle power and every net value, and nothing else", () => {
  const { measurements } = results({ power_w: (t) => load(t) + (t >= 20 && t < 26 ? 0.5 : 0) });
  const flagged = measurements.filter(({ flags }) => flags.includes("BASELINE_UNSTEADY")).map(({ name }) => name);
  expect(new Set(flagged)).toEqual(
    new Set(measurements.map(({ name }) => name).filter((name) => name === "idle_power" || name.endsWith("_net"))),
  );
  expect(flagged.length).toBeGreaterThan(10);
});

test("every rule is shown failing above", () => {
  const shown = new Set(Object.values(CASES).flatMap(([, expected]) => Object.keys(expected)));
  const all = validity().map(({ rule }) => rule);
  expect(all.filter((rule) => !shown.has(rule))).toEqual(["sums", "agreement"]);
});
