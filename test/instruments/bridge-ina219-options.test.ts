import { expect, test } from "vitest";
import { bridgeIna219 } from "../../src/instruments/bridge-ina219.ts";
import { configRegister, Options } from "../../src/instruments/bridge-ina219-options.ts";

const parse = (given: Record<string, unknown> = {}) => Options.parse({ shunt_ohm: 0.1, ...given });

test("the configuration register is that of the datasheet's examples", () => {
  expect(configRegister(parse({ bits: 12, bus_range_v: 32, rate_hz: 500 }))).toBe(0x399f);
  expect(configRegister(parse())).toBe(0x1917);
  expect(configRegister(parse({ bits: 9, shunt_range_v: 0.04 }))).toBe(0x0007);
  expect(configRegister(parse({ averages: 16, rate_hz: 50, shunt_range_v: 0.08 }))).toBe((1 << 11) | (12 << 7) | (12 << 3) | 7);
});

test.each([
  [{ bits: 12, rate_hz: 1000 }, "at most 698 times a second"],
  [{ averages: 16, rate_hz: 100 }, "16 averages the sensor converts anew at most 52"],
  [{ rate_hz: 3000 }, "<=1500"],
])("a rate the chain cannot deliver is refused: %o", (given, message) => {
  const result = Options.safeParse({ shunt_ohm: 0.1, ...given });
  expect(result.error?.message).toContain(message);
});

test("unknown keys and a missing shunt are refused", () => {
  expect(Options.safeParse({}).error?.message).toContain("shunt_ohm");
  expect(Options.safeParse({ shunt_ohm: 0.1, shunt: 0.1 }).success).toBe(false);
});

test("the budget follows from the datasheet's limits", () => {
  const accuracy = bridgeIna219.accuracy(parse(), "main");
  expect(accuracy.gain).toBeCloseTo(Math.sqrt((0.005 ** 2 + 0.005 ** 2 + 0.01 ** 2) / 3), 9);
  expect(accuracy.currentOffset_a).toBeCloseTo(200e-6 / 0.1 / Math.sqrt(3), 9);
  expect(accuracy.currentResolution_a).toBeCloseTo(0.2e-3, 9);
  expect(accuracy.voltageResolution_v).toBeCloseTo(8e-3, 9);
  expect(accuracy.sampling_s).toBeGreaterThan(552e-6 / Math.sqrt(12));
  expect(bridgeIna219.accuracy(parse({ gain_uncertainty: 0.002 }), "main").gain).toBe(0.002);
});

test("the clock's search range is that of its oscillator", () => {
  expect(bridgeIna219.clock(parse()).limit_ppm).toBe(10_000);
  expect(bridgeIna219.clock(parse({ clock: "crystal" }))).toMatchObject({ limit_ppm: 500, nominal_hz: 1e6 });
});

test("a calibration corrects what is shown: true = (shown - offset) * gain, on top of an earlier one", () => {
  const options = parse({ shunt_ohm: 0.1, current_offset_a: 0.001, voltage_gain: 1.01 });
  const errors = {
    currentOffset_a: { value: 0.002, u: 1e-4 },
    currentGain: { value: 0.97, u: 1e-3 },
    voltageGain: { value: 1.02, u: 1e-3 },
    powerGain_u: 0.0015,
  };
  const values = bridgeIna219.calibration!.correct(options, errors);
  const volts = 0.1;
  const current_a = (shunt: unknown, offset: unknown): number => volts / Number(shunt) - Number(offset);
  const shown_a = current_a(options.shunt_ohm, options.current_offset_a);
  expect(current_a(values.shunt_ohm, values.current_offset_a)).toBeCloseTo((shown_a - 0.002) * 0.97, 12);
  expect(values).toMatchObject({ voltage_gain: 1.01 * 1.02, gain_uncertainty: 0.0015, current_offset_uncertainty_a: 0.97e-4 });
  expect(bridgeIna219.calibration!.correct(parse(), { currentOffset_a: { value: 0.002, u: 1e-4 } })).toEqual({
    current_offset_a: 0.002,
    current_offset_uncertainty_a: 1e-4,
  });
});
