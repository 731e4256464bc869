import { describe, expect, test } from "vitest";
import { calibrate, type OwnAccuracy, type SteadyMean, type SteadyReading } from "../../src/metrics/calibration.ts";
import { steadyMean } from "../../src/metrics/steady.ts";
import { seeded } from "../../src/simulate/random.ts";

const OWN: OwnAccuracy = {
  currentOffset_a: 0.001,
  voltageOffset_v: 0.002,
  currentResolution_a: 2e-4,
  voltageResolution_v: 8e-3,
  voltageGain_u: 0.003,
};
const PERFECT: OwnAccuracy = {
  currentOffset_a: 0,
  voltageOffset_v: 0,
  currentResolution_a: 0,
  voltageResolution_v: 0,
  voltageGain_u: 0.003,
};

const mean = (value: number, u = 0): SteadyMean => ({ value, u, dof: 19 });
const reading = (current_a: number, voltage_v: number, u = 0): SteadyReading => ({
  current_a: mean(current_a, u),
  voltage_v: mean(voltage_v),
});
const known = (value: number, percent: number) => ({ value, u: (value * percent) / 100 });

describe("what is found", () => {
  test("zero, then the gains that are left", () => {
    const shown = { zero: reading(0.01, 5), load: reading(1.04, 5.05) };
    const { errors } = calibrate(shown, { resistor_ohm: known(5, 0.1), voltage_v: known(5, 0.05) }, OWN);
    expect(errors.currentOffset_a!.value).toBe(0.01);
    expect(errors.currentGain!.value).toBeCloseTo(1 / 1.03, 12);
    expect(errors.voltageGain!.value).toBeCloseTo(5 / 5.05, 12);
  });

  test("a zero alone says nothing of gains", () => {
    const { errors } = calibrate({ zero: reading(0.01, 5) }, undefined, OWN);
    expect(Object.keys(errors)).toEqual(["currentOffset_a"]);
    expect(errors.currentOffset_a!.u).toBeCloseTo(2e-4 / Math.sqrt(12), 12);
  });
});

describe("how well it is known", () => {
  const power = (own: OwnAccuracy, reference: Parameters<typeof calibrate>[1], u = 0) =>
    calibrate({ load: reading(1, 5, u) }, reference, own).errors.powerGain_u!;

  test("resistor and voltmeter: the voltage counts twice, for current and for voltage", () => {
    expect(power(PERFECT, { resistor_ohm: known(5, 0.1), voltage_v: known(5, 0.05) })).toBeCloseTo(Math.hypot(0.001, 2 * 0.0005), 9);
  });

  test("a resistor alone: the instrument's own voltage stands in, and counts twice", () => {
    expect(power(PERFECT, { resistor_ohm: known(5, 0.1) })).toBeCloseTo(Math.hypot(0.001, 2 * 0.003), 9);
  });

  test("a second meter for current and voltage: each counts once", () => {
    expect(power(PERFECT, { current_a: known(1, 0.1), voltage_v: known(5, 0.05) })).toBeCloseTo(Math.hypot(0.001, 0.0005), 9);
    expect(power(PERFECT, { current_a: known(1, 0.1) })).toBeCloseTo(Math.hypot(0.001, 0.003), 9);
  });

  test("counts, zero and noise enter; noise of few readings with more than its standard uncertainty", () => {
    const reference = { current_a: known(1, 0.01), voltage_v: known(5, 0.01) };
    const rest = [1e-4, 1e-4, 2e-4 / Math.sqrt(12), 8e-3 / Math.sqrt(12) / 5, 0.001];
    expect(power(OWN, reference)).toBeCloseTo(Math.hypot(...rest), 9);
    expect(power(PERFECT, reference, 0.01)).toBeGreaterThan(0.0102);
  });
});

test("truth inside twice the stated uncertainty: 500 calibrations with errors drawn as their budget says", () => {
  const random = seeded(7);
  const rectangular = (): number => (random() - 0.5) * Math.sqrt(12);
  let inside = 0;
  for (let n = 0; n < 500; n++) {
    const [gain, offset_a, resistor, volts] = [1 + 0.02 * rectangular(), 0.002 * rectangular(), 5 * (1 + 0.001 * rectangular()), 5];
    const shown = (true_a: number): SteadyReading => {
      const counts = Math.round((true_a / gain + offset_a) / 2e-4) * 2e-4;
      return { current_a: { value: counts + 1e-5 * rectangular(), u: 1e-5, dof: 19 }, voltage_v: mean(volts) };
    };
    const reference = { resistor_ohm: { value: 5, u: 0.005 }, voltage_v: { value: volts * (1 + 0.0005 * rectangular()), u: 0.0025 } };
    const { errors } = calibrate({ zero: shown(0), load: shown(volts / resistor) }, reference, { ...OWN, voltageOffset_v: 0 });
    if (Math.abs(errors.currentGain!.value - gain) < 2 * errors.currentGain!.u) inside++;
  }
  expect(inside / 500).toBeGreaterThan(0.93);
});

describe("the mean of a steady reading", () => {
  test("white noise: the standard error of the mean", () => {
    const random = seeded(1);
    const { value, u, dof } = steadyMean(Array.from({ length: 20_000 }, () => 1 + 0.01 * (random() - 0.5)));
    expect(value).toBeCloseTo(1, 4);
    expect(u).toBeGreaterThan((0.5 * 0.01) / Math.sqrt(12 * 20_000));
    expect(u).toBeLessThan((2 * 0.01) / Math.sqrt(12 * 20_000));
    expect(dof).toBe(19);
  });

  test("a drift is not averaged away", () => {
    const { u } = steadyMean(Array.from({ length: 2000 }, (_, k) => 1 + k / 2000 / 10));
    expect(u).toBeGreaterThan(0.05 / Math.sqrt(12));
  });
});
