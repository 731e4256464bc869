import { describe, expect, test } from "vitest";
import { readCounter } from "../../src/metrics/counter.ts";
import { gapBounds, gapUncertainty_j } from "../../src/metrics/gaps.ts";
import type { Block } from "../../src/model/block.ts";
import { identityMap, type SessionSeconds } from "../../src/model/clock.ts";
import type { Phase, Window } from "../../src/model/measurement.ts";
import { meanPower, type Plant } from "../../src/simulate/plant.ts";
import { between, normal, type Random, seeded } from "../../src/simulate/random.ts";
import { fromSteps, waveform } from "../../src/simulate/waveforms.ts";

const STEP_S = 1e-3;
const END_S = 8;
const accuracy = { gain: 0, currentOffset_a: 0, voltageOffset_v: 0, currentResolution_a: 0, voltageResolution_v: 0, sampling_s: 0 };
const window = (phase: Phase, start_s: number, end_s: number): Window => ({
  phase,
  request: "a",
  start_s: start_s as SessionSeconds,
  end_s: end_s as SessionSeconds,
  tokens: 0,
  flags: [],
});

/** Readings of samples from which some stretches are missing; instants and their classes as given. */
function read(mean_w: Float64Array, gaps: readonly (readonly [number, number])[], at: readonly number[], of: readonly number[]) {
  const blocks: Block[] = [];
  const edges = [0, ...gaps.flat(), mean_w.length * STEP_S];
  for (let k = 0; k < edges.length; k += 2) {
    const [from, to] = [Math.round(edges[k]! / STEP_S), Math.round(edges[k + 1]! / STEP_S)];
    const ticks = { first: (from + 1) * STEP_S, step: STEP_S };
    const about = { source: "m", epoch: 0, sampler: "integrating", startTick: from * STEP_S, ticks, lostBefore: Number(k > 0) } as const;
    blocks.push({ ...about, length: to - from, columns: { "main.power_w": mean_w.slice(from, to) } });
  }
  const context = { measurand: { source: "m", channel: "main", accuracy }, maps: [identityMap("m", 0)] };
  const readings = readCounter(() => blocks, context, Float64Array.from(at), { of: Uint8Array.from(of), count: 3 });
  return readings;
}

/** Tokens of about 40 ms, 7.4 W and 3.4 W in turn. */
function tokens(random: Random): Plant {
  const steps = [];
  for (let from_s = 0; from_s < END_S; ) {
    const length_s = 0.04 * between(random, 0.97, 1.03);
    steps.push(
      { from_s, to_s: from_s + 0.4 * length_s, power_w: 7.4 },
      { from_s: from_s + 0.4 * length_s, to_s: from_s + length_s, power_w: 3.4 },
    );
    from_s += length_s;
  }
  return waveform(fromSteps(steps));
}

/** Root mean square of what the fill with the mean is off by, over that of what is claimed. */
function ratio(length_s: number, powers: (random: Random) => Float64Array): number {
  const random = seeded(4);
  let [errors, claims] = [0, 0];
  for (let k = 0; k < 120; k++) {
    const mean_w = powers(random);
    const from_s = Math.round(between(random, 1, 6) / STEP_S) * STEP_S;
    const gap = [from_s, from_s + length_s] as const;
    const [a, b] = [Math.round(gap[0] / STEP_S), Math.round(gap[1] / STEP_S)];
    const total = mean_w.reduce((sum, each) => sum + each, 0);
    const missing = mean_w.slice(a, b).reduce((sum, each) => sum + each, 0);
    const fill_w = (total - missing) / (mean_w.length - (b - a));
    errors += ((fill_w - missing / (b - a)) * length_s) ** 2;
    claims += gapUncertainty_j(window("decode", 0, END_S), read(mean_w, [gap], [0, END_S], [1, 0])) ** 2;
  }
  return Math.sqrt(errors / claims);
}

const sampled = (plant: Plant): Float64Array => {
  const means_w = new Float64Array(END_S / STEP_S);
  meanPower(plant, 0, STEP_S, means_w);
  return means_w;
};

describe("a gap is off by as much as a stretch of its length is from the mean", () => {
  test.each([0.002, 0.005, 0.015])("%f s of tokens", (length_s) => {
    const found = ratio(length_s, (random) => sampled(tokens(random)));
    expect(found).toBeGreaterThan(0.8);
    expect(found).toBeLessThan(1.2);
  });

  test("0.15 s of tokens: regular as they are, they are off by less, never by more", () => {
    const found = ratio(0.15, (random) => sampled(tokens(random)));
    expect(found).toBeGreaterThan(0.1);
    expect(found).toBeLessThan(1.1);
  });

  test.each([0.005, 0.15])("%f s of noise", (length_s) => {
    const found = ratio(length_s, (random) => Float64Array.from({ length: END_S / STEP_S }, () => 5 + normal(random)));
    expect(found).toBeGreaterThan(0.8);
    expect(found).toBeLessThan(1.2);
  });
});

test("gaps of a request are each judged by the phase they lie in", () => {
  const random = seeded(1);
  const noisy = (sd: number) => (_: unknown, k: number) => (k < 4000 ? 9 : 5) + sd * normal(random);
  const powers = Float64Array.from({ length: END_S / STEP_S }, noisy(0.1));
  const readings = (gap: readonly [number, number]) => read(powers, [gap], [0, 4, END_S], [1, 2, 0]);
  const request = window("request", 0, END_S);
  for (const [gap, level_w] of [
    [[1, 1.1], 9],
    [[6, 6.1], 5],
  ] as const) {
    const { same_phase, session } = gapBounds(request, 0, readings(gap));
    expect(same_phase[0]).toBeGreaterThan(0.1 * (level_w - 0.5));
    expect(same_phase[1]).toBeLessThan(0.1 * (level_w + 0.5));
    expect(session[0]).toBeLessThan(0.1 * 5);
    expect(session[1]).toBeGreaterThan(0.1 * 9);
  }
  expect(gapUncertainty_j(request, readings([1, 1.1]))).toBeLessThan(0.1 * 0.1);
});

test("several gaps are off each by itself; what lies outside of the trace is one as well", () => {
  const random = seeded(2);
  const noise = Float64Array.from({ length: END_S / STEP_S }, () => 5 + normal(random));
  const one = gapUncertainty_j(window("decode", 0, END_S), read(noise, [[1, 1.1]], [0, END_S], [1, 0]));
  const gaps = [1, 2, 3, 4].map((at_s) => [at_s, at_s + 0.1] as const);
  const four = gapUncertainty_j(window("decode", 0, END_S), read(noise, gaps, [0, END_S], [1, 0]));
  expect(four / one).toBeCloseTo(2, 1);
  const over = gapUncertainty_j(window("decode", 1, END_S + 0.1), read(noise, [], [1, END_S + 0.1], [1, 0]));
  expect(over / one).toBeCloseTo(1, 1);
});
