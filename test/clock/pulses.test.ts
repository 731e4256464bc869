import { describe, expect, test } from "vitest";
import { alignPulses, REACH_S } from "../../src/clock/pulses.ts";
import { PULSES, trialBins } from "./pulse-trials.ts";
import { SEEDS } from "./trials.ts";

const align = (trial: Parameters<typeof trialBins>[0]) => alignPulses(PULSES, trialBins(trial));

// Accepted: 1 ms from 500 Hz on, 2 ms at 100 Hz, with 2 W steps, 0.15 W of noise on every sample, background bursts,
// a wake-up of 0.4 ± 0.3 ms that nobody knows of, and a rise of any time constant.
describe.each([
  [100, 3e-3, 2e-3],
  [100, 10e-3, 2e-3],
  [100, 30e-3, 2e-3],
  [500, 3e-3, 1e-3],
  [500, 10e-3, 1e-3],
  [500, 30e-3, 1e-3],
  [5000, 10e-3, 1e-3],
])("a train of pulses at %i Hz, time constant %f s", (rate_hz, tau_s, limit_s) => {
  const late = (seed: number): number => (seed % 5) * 0.37e-3 - 0.5e-3;
  const results = SEEDS.map((seed) => ({ late_s: late(seed), ...align({ seed, rate_hz, tau_s, late_s: late(seed) }) }));
  const errors_s = results.map(({ offset_s, late_s }) => Math.abs(offset_s! - late_s));

  test("is found in every trial, far above the limits of doubt", () => {
    expect(results.every((each) => each.found)).toBe(true);
    expect(Math.min(...results.map((each) => each.peak!))).toBeGreaterThan(0.85);
    expect(Math.min(...results.map((each) => each.gap!))).toBeGreaterThan(0.5);
  });

  test(`is placed within ${limit_s} s, and within 2 u as often as it says`, () => {
    expect(Math.max(...errors_s)).toBeLessThanOrEqual(limit_s);
    expect(errors_s.filter((error_s, k) => error_s <= 2 * results[k]!.u_s!).length).toBeGreaterThanOrEqual(0.9 * SEEDS.length);
  });

  test("its time constant comes out", () => {
    const mean_s = results.reduce((sum, each) => sum + each.tau_s!, 0) / results.length;
    expect(Math.abs(mean_s - tau_s)).toBeLessThan(0.05 * tau_s + 0.2e-3);
  });
});

test.each([0.5, -0.5, 1.501, 0.1])("a clock that is %f s off is found out, with a workload right beside the train", (late_s) => {
  const { found, offset_s } = align({ seed: 3, rate_hz: 1000, tau_s: 4e-3, late_s, neighbour: true });
  expect(found).toBe(true);
  expect(Math.abs(offset_s! - late_s)).toBeLessThan(1e-3);
});

test("an exact bench gives the offset to the microsecond, also where a clock has run for months", () => {
  const far_s = 1e7;
  const { start_s, end_s, mean_w } = trialBins({ seed: 1, rate_hz: 1000, tau_s: 5e-3, late_s: 1e-3, noise_w: 0, exact: true });
  const far = { start_s: start_s.map((t) => t + far_s), end_s: end_s.map((t) => t + far_s), mean_w };
  const pulses = PULSES.map(({ on_s, off_s }) => ({ on_s: on_s + far_s, off_s: off_s + far_s }));
  const { offset_s, tau_s } = alignPulses(pulses, far);
  expect(offset_s).toBeCloseTo(1e-3, 6);
  expect(tau_s).toBeCloseTo(5e-3, 6);
});

describe("a train that is not there is not found", () => {
  test.each([
    ["noise alone", { step_w: 0 }],
    ["a step far below the noise", { step_w: 0.02 }],
    ["a train beyond reach", { late_s: REACH_S + 1 }],
  ])("%s", (_, changes) => {
    for (const seed of SEEDS.slice(0, 10)) {
      const result = align({ seed, rate_hz: 500, tau_s: 5e-3, ...changes });
      expect(result.found).toBe(false);
      expect(result.offset_s).toBeNull();
      expect(result.reason).toMatch(/correlation/);
    }
  });

  test("even pulses, which fit at many shifts", () => {
    const even = Array.from({ length: 12 }, (_, k) => ({ on_s: 3 + 0.4 * k, off_s: 3.2 + 0.4 * k }));
    const { start_s, end_s } = trialBins({ seed: 1, rate_hz: 500, tau_s: 5e-3 });
    const mean_w = end_s.map((t) => ((((t - 2) % 0.4) + 0.4) % 0.4 < 0.2 ? 3 : 1));
    const { found, peak, gap } = alignPulses(even, { start_s, end_s, mean_w });
    expect(peak).toBeGreaterThan(0.6);
    expect(gap).toBeLessThan(0.15);
    expect(found).toBe(false);
  });

  test("no power, constant power, too few pulses, pulses that run back", () => {
    const bins = trialBins({ seed: 1, rate_hz: 100, tau_s: 5e-3 });
    const none = { start_s: new Float64Array(0), end_s: new Float64Array(0), mean_w: new Float64Array(0) };
    expect(alignPulses(PULSES, none)).toMatchObject({ found: false, reason: "no power is known around it" });
    expect(alignPulses(PULSES, { ...bins, mean_w: bins.mean_w.map(() => 1.2) })).toMatchObject({ found: false, peak: 0 });
    expect(alignPulses(PULSES.slice(0, 3), bins)).toMatchObject({ found: false, reason: "3 pulses of at least 6" });
    expect(alignPulses([], bins)).toMatchObject({ found: false });
    expect(alignPulses(PULSES.toReversed(), bins)).toMatchObject({ found: false, reason: "its pulses overlap or run back" });
  });
});

test("a gap in the samples widens nothing but the uncertainty", () => {
  const bins = trialBins({ seed: 5, rate_hz: 1000, tau_s: 5e-3 });
  const keep = (_: number, k: number): boolean => bins.end_s[k]! < 4 || bins.end_s[k]! > 4.1;
  const holed = { start_s: bins.start_s.filter(keep), end_s: bins.end_s.filter(keep), mean_w: bins.mean_w.filter(keep) };
  expect(alignPulses(PULSES, holed).found).toBe(true);
  expect(Math.abs(alignPulses(PULSES, holed).offset_s!)).toBeLessThan(1e-3);
});
