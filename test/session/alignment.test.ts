import { describe, expect, test } from "vitest";
import type { Results, RuleResult } from "../../src/model/results.ts";
import { ACTIVE_W, PROMPTS_S, pulseSession } from "./pulse-bench.ts";

const ruleOf = ({ validity }: Results): RuleResult => validity.find((each) => each.rule === "alignment")!;
const factOf = ({ clocks }: Results, name: string): number => Number(clocks.alignment?.[name]);
const isSuspect = ({ faults }: Results): boolean => faults.some((each) => each.code === "sync_suspect");
const energies = ({ measurements }: Results): number[] =>
  measurements.filter((each) => each.name === "request_energy").map((each) => each.value!);

describe("load pulses around a measurement", () => {
  const right = pulseSession();

  test("clocks that agree are verified, before and after", () => {
    expect(ruleOf(right)).toMatchObject({ pass: true, level: "FAIL" });
    expect(Math.abs(factOf(right, "train_1_offset_s"))).toBeLessThan(0.3e-3);
    expect(Math.abs(factOf(right, "train_2_offset_s"))).toBeLessThan(0.3e-3);
    expect(factOf(right, "train_1_tau_s")).toBeCloseTo(4e-3, 4);
    expect(isSuspect(right)).toBe(false);
  });

  test("they are outside of the workload and of the baseline", () => {
    expect(right.summary.idle_power!.value).toBeCloseTo(0.9, 2);
    energies(right).forEach((energy_j, k) => void expect(Math.abs(energy_j / (ACTIVE_W * PROMPTS_S[k]!) - 1)).toBeLessThan(2e-3));
  });

  // MELT: the trace begins when the calibration of the monitor is over, so power comes late by that time.
  test("MELT's half second is found, and with it the energies that are wrong by up to 45 %", () => {
    const melt = pulseSession({ shift_s: () => -0.5 });
    expect(energies(melt)[0]! / ACTIVE_W).toBeCloseTo(0.55, 2);
    expect(energies(melt)[1]! / (5 * ACTIVE_W)).toBeCloseTo(0.91, 2);
    expect(energies(melt)[2]! / (15 * ACTIVE_W)).toBeCloseTo(0.97, 2);
    expect(ruleOf(melt)).toMatchObject({
      pass: false,
      level: "FAIL",
      detail: expect.stringMatching(/^SYNC_SUSPECT: .*(499|500)\.\d\d ms late/),
    });
    expect(factOf(melt, "train_1_offset_s")).toBeCloseTo(0.5, 3);
    expect(isSuspect(melt)).toBe(true);
  });

  test.each([3e-3, -3e-3, 0.1])("stamps of a clock that is %f s from the one that answers pings are suspect", (shift_s) => {
    const results = pulseSession({ shift_s: () => shift_s });
    expect(factOf(results, "train_1_offset_s")).toBeCloseTo(-shift_s, 3);
    expect(ruleOf(results)).toMatchObject({ pass: false, level: "FAIL", detail: expect.stringContaining("SYNC_SUSPECT") });
    expect(isSuspect(results)).toBe(true);
  });

  test("a clock that drifts within the bound from the first train to the second is suspect", () => {
    const results = pulseSession({ shift_s: (true_s) => (true_s < 30 ? -1e-3 : 1e-3) });
    expect(ruleOf(results)).toMatchObject({ pass: false, detail: expect.stringMatching(/SYNC_SUSPECT: they drifted by -2\.\d\d ms/) });
    expect(factOf(results, "drift_s")).toBeCloseTo(-2e-3, 3);
  });

  test("pulses that power does not show are suspect, not overlooked", () => {
    const results = pulseSession({ pulsePower: 0 });
    expect(ruleOf(results)).toMatchObject({
      pass: false,
      level: "FAIL",
      detail: expect.stringMatching(/SYNC_SUSPECT: pulses at \d+ s not found/),
    });
  });

  test("a train without an end is suspect", () => {
    expect(ruleOf(pulseSession({ answers: "no end" }))).toMatchObject({
      level: "FAIL",
      pass: false,
      detail: expect.stringContaining("did not end it"),
    });
  });

  test.each(["unsupported", "nothing"] as const)("a device that answers %s leaves the alignment unverified, with a warning", (answers) => {
    const results = pulseSession({ answers });
    expect(ruleOf(results)).toMatchObject({ pass: false, level: "WARN", detail: expect.stringContaining("not verified") });
    expect(results.clocks.alignment).toBeUndefined();
    expect(results.faults.map((each) => each.code)).not.toContain("unread_line");
    expect(isSuspect(results)).toBe(false);
  });
});

describe("edges of a line from the device to the bridge", () => {
  test("verify the clocks without any pulse", () => {
    const results = pulseSession({ edges: true, answers: "nothing" });
    expect(ruleOf(results)).toMatchObject({ pass: true });
    expect(factOf(results, "trigger_count")).toBe(2 * PROMPTS_S.length);
    expect(Math.abs(factOf(results, "trigger_offset_s"))).toBeLessThan(0.2e-3);
    expect(factOf(results, "trigger_sd_s")).toBeLessThan(0.1e-3);
  });

  test("give away a clock that is 3 ms off", () => {
    const results = pulseSession({ edges: true, answers: "nothing", shift_s: () => 3e-3 });
    expect(factOf(results, "trigger_offset_s")).toBeCloseTo(-3e-3, 4);
    expect(ruleOf(results)).toMatchObject({ pass: false, level: "FAIL", detail: expect.stringContaining("SYNC_SUSPECT: trigger edges") });
  });
});
