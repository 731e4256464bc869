import { describe, expect, test } from "vitest";
import { analyze } from "../../src/metrics/analyze.ts";
import type { Block } from "../../src/model/block.ts";
import { identityMap, type SessionSeconds } from "../../src/model/clock.ts";
import type { Window } from "../../src/model/measurement.ts";

const RATE_HZ = 1000;
const END_S = 20;
const accuracy = { gain: 0, currentOffset_a: 0, voltageOffset_v: 0, currentResolution_a: 0, voltageResolution_v: 0, sampling_s: 0 };
const about = { source: "m", epoch: 0, sampler: "integrating" } as const;
const at = (t: number) => t as SessionSeconds;

type Gap = readonly [from_s: number, to_s: number];

interface Bench {
  readonly gaps: readonly Gap[];
  readonly power_w?: (t: number) => number;
  /** Length of the tokens of a decode. */
  readonly token_s?: number;
}

/** 1 W idle; the requests a and b each prefill for 1 s at 9 W from 5 s and 11 s on, and decode for 4 s at 5 W. */
function load(t: number): number {
  const within = t < 10 ? t - 5 : t - 11;
  return within < 0 || within >= 5 ? 1 : within < 1 ? 9 : 5;
}

function blocksBetween(gaps: readonly Gap[], power_w: (t: number) => number): Block[] {
  const edges = [0, ...gaps.flat(), END_S];
  return Array.from({ length: edges.length / 2 }, (_, k): Block => {
    const [from_s, to_s] = [edges[2 * k]!, edges[2 * k + 1]!];
    const length = Math.round((to_s - from_s) * RATE_HZ);
    const ticks = { first: from_s + 1 / RATE_HZ, step: 1 / RATE_HZ };
    const column = Float64Array.from({ length }, (_, i) => power_w(from_s + (i + 0.5) / RATE_HZ));
    return { ...about, startTick: from_s, ticks, length, lostBefore: Number(k > 0), columns: { "main.power_w": column } };
  });
}

function windowsOf(request: string, start_s: number, token_s: number): Window[] {
  const of = (phase: Window["phase"], from_s: number, to_s: number, tokens: number): Window => ({
    ...{ phase, request, tokens, flags: [] },
    start_s: at(start_s + from_s),
    end_s: at(start_s + to_s),
  });
  const count = Math.round(4 / token_s);
  const tokens = Array.from({ length: count }, (_, index) => ({
    ...of("token", 1 + index * token_s, 1 + (index + 1) * token_s, 1),
    index,
  }));
  return [of("request", 0, 5, count + 1), of("prefill", 0, 1, 100), of("decode", 1, 5, count), ...tokens];
}

function results({ gaps, power_w = load, token_s = 0.1 }: Bench) {
  const blocks = blocksBetween(gaps, power_w);
  const recording = {
    measurand: { source: "m", channel: "main", accuracy },
    maps: [identityMap("m", 0)],
    ...{ events: [], readings: [], idle: [[0, 4] as const], faults: [], references: [], clocks: {} },
    blocks: () => blocks,
  };
  const found = analyze("s", recording, [...windowsOf("a", 5, token_s), ...windowsOf("b", 11, token_s)]);
  const flags = (name: string, request = "a") => found.measurements.find((each) => each.name === name && each.request === request)!.flags;
  return { ...found, flags };
}

/** 0.2 W and 10 W in turn while decoding, half a second each: what a gap holds is not known from the rest. */
const restless = (t: number): number => (load(t) === 5 ? (Math.floor(2 * t) % 2 === 0 ? 0.2 : 10) : load(t));

interface Case {
  readonly bench: Bench;
  readonly prefill: readonly string[];
  readonly decode: readonly string[];
}

const CASES: Record<string, Case> = {
  "COVERAGE: 50 ms of 4 s": { bench: { gaps: [[8.02, 8.07]] }, prefill: [], decode: ["GAP", "COVERAGE", "INVALID"] },
  "COVERAGE: twice 25 ms of 4 s": {
    bench: {
      gaps: [
        [8.02, 8.045],
        [9.02, 9.045],
      ],
    },
    prefill: [],
    decode: ["GAP", "COVERAGE", "INVALID"],
  },
  "EDGE_GAP: 2 ms between prefill and decode": {
    bench: { gaps: [[5.999, 6.001]] },
    prefill: ["GAP", "EDGE_GAP", "INVALID"],
    decode: ["GAP", "EDGE_GAP", "INVALID"],
  },
  "EDGE_GAP: 2 ms from the edge on": {
    bench: { gaps: [[6, 6.002]] },
    prefill: ["EDGE_GAP", "INVALID"],
    decode: ["GAP", "EDGE_GAP", "INVALID"],
  },
  "TOKEN_IN_GAP: a token of 5 ms in 8 ms": {
    bench: { gaps: [[8.008, 8.016]], token_s: 0.005 },
    prefill: [],
    decode: ["GAP", "TOKEN_IN_GAP", "INVALID"],
  },
  "GAP_UNCERTAINTY: 36 ms of a restless power": {
    bench: { gaps: [[8.02, 8.056]], power_w: restless },
    prefill: [],
    decode: ["GAP", "GAP_UNCERTAINTY", "INVALID"],
  },
};

describe("what makes a phase with missing samples invalid", () => {
  test.each(Object.entries(CASES))("%s", (_, { bench, prefill, decode }) => {
    const { flags, summary, measurements } = results(bench);
    expect(flags("prefill_energy")).toEqual(prefill);
    expect(flags("decode_energy")).toEqual(decode);
    expect(measurements.find((each) => each.name === "decode_energy")!.value).toBeGreaterThan(0);
    expect(flags("decode_energy", "b")).toEqual([]);
    expect(summary.decode_energy!.n).toBe(1);
    expect(summary.request_energy!.n).toBe(1);
  });
});

test("36 ms of 4 s inside a decode are filled, flagged, and count", () => {
  const { flags, summary } = results({ gaps: [[8.02, 8.056]] });
  expect(flags("decode_energy")).toEqual(["GAP"]);
  expect(flags("request_energy")).toEqual(["GAP"]);
  expect(summary.decode_energy!.n).toBe(2);
});

test("a token wholly in a gap is null; its request is invalid, though it lacks too little to be so otherwise", () => {
  const { measurements, flags } = results(CASES["TOKEN_IN_GAP: a token of 5 ms in 8 ms"]!.bench);
  const tokens = measurements.filter((each) => each.name === "token_energy" && each.request === "a");
  expect(tokens.filter(({ value }) => value === null)).toMatchObject([{ index: 402, coverage: 0, uncertainty: null }]);
  expect(tokens.filter(({ value }) => value === 0)).toEqual([]);
  expect(flags("request_energy")).toEqual(["GAP", "TOKEN_IN_GAP", "INVALID"]);
});
