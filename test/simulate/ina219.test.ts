import { expect, test } from "vitest";
import { INA219, Ina219, type Ina219Options } from "../../src/simulate/ina219.ts";
import type { Plant } from "../../src/simulate/plant.ts";

/** Power `slope_w_s * t`, so that the mean over a conversion tells when it was. */
const ramp = (slope_w_s: number, supply_v = 5): Plant => ({
  supply_v,
  power_w: (t) => slope_w_s * t,
  energy_j: (from, to) => (slope_w_s * (to * to - from * from)) / 2,
});
const steady = (current_a: number, supply_v = 5): Plant => ({
  supply_v,
  power_w: () => current_a * supply_v,
  energy_j: (from, to) => current_a * supply_v * (to - from),
});

function sensor(plant: Plant, config: number, options: Partial<Ina219Options> = {}): Ina219 {
  const part = new Ina219(() => plant, { shunt_ohm: 0.1, ...options });
  part.write(INA219.config, config, 0);
  return part;
}

const signed = (register: number): number => (register << 16) >> 16;
const CONFIG_12 = 0x399f;
const CONFIG_11 = 0x3917;

test("holds its power-on values", () => {
  const part = new Ina219(() => steady(1), { shunt_ohm: 0.1 });
  expect(part.read(INA219.config, 0)).toBe(0x399f);
  expect(part.read(INA219.shunt, 0)).toBe(0);
  part.write(INA219.config, 0x1234, 1);
  part.write(INA219.config, 0x8000, 2);
  expect(part.read(INA219.config, 2)).toBe(0x399f);
});

test("quantises to 10 uV and 4 mV, in steps that grow as bits go", () => {
  expect(signed(sensor(steady(0.12346), CONFIG_12).read(INA219.shunt, 1))).toBe(1235);
  expect(signed(sensor(steady(-0.12346), CONFIG_12).read(INA219.shunt, 1))).toBe(-1235);
  expect(signed(sensor(steady(0.12346), 0x3807).read(INA219.shunt, 1))).toBe(1232);
  expect(sensor(steady(1, 4.997), CONFIG_12).read(INA219.bus, 1) >> 3).toBe(1249);
  expect(sensor(steady(1, 4.997), CONFIG_11).read(INA219.bus, 1) >> 3).toBe(1250);
});

test.each([
  [0, 4000],
  [1, 8000],
  [2, 16_000],
  [3, 32_000],
])("saturates at the end of range PG=%i", (gain, full) => {
  const config = (CONFIG_12 & ~0x1800) | (gain << 11);
  expect(signed(sensor(steady(10), config).read(INA219.shunt, 1))).toBe(full);
  expect(signed(sensor(steady(-10), config).read(INA219.shunt, 1))).toBe(-full);
});

test("the bus saturates at 16 V or 32 V", () => {
  expect(sensor(steady(0, 20), CONFIG_12).read(INA219.bus, 1) >> 3).toBe(5000);
  expect(sensor(steady(0, 20), CONFIG_12 & ~0x2000).read(INA219.bus, 1) >> 3).toBe(4000);
});

test("a shunt reading is the mean over the last finished conversion", () => {
  // 0.5 A per ms over 0.1 ohm: 5 counts per us. Shunt conversions of 276 us begin every 552 us.
  const part = sensor(ramp(2500), CONFIG_11);
  const middle_us = (t_us: number) => signed(part.read(INA219.shunt, t_us * 1e-6)) / 5;
  expect(middle_us(275)).toBe(0);
  expect(Math.abs(middle_us(277) - 138)).toBeLessThan(0.5);
  expect(Math.abs(middle_us(827) - 138)).toBeLessThan(0.5);
  expect(Math.abs(middle_us(829) - 690)).toBeLessThan(0.5);
});

test("a slow part converts slower", () => {
  const part = sensor(ramp(2500), CONFIG_11, { conversionTimeError: 0.1 });
  expect(signed(part.read(INA219.shunt, 302e-6))).toBe(0);
  expect(signed(part.read(INA219.shunt, 304e-6))).toBeGreaterThan(0);
});

test("averaging takes its time", () => {
  const part = sensor(ramp(100), (0x3807 & ~0x7f8) | (12 << 7) | (12 << 3));
  expect(signed(part.read(INA219.shunt, 8.5e-3))).toBe(0);
  expect(Math.abs(signed(part.read(INA219.shunt, 8.52e-3)) - ((100 * 8.51e-3) / 2 / 5) * 1e4)).toBeLessThan(1);
});

test("conversion ready is set by a whole cycle and cleared by reading the power register", () => {
  const part = sensor(steady(1), CONFIG_11);
  const ready = (t_us: number) => (part.read(INA219.bus, t_us * 1e-6) >> 1) & 1;
  expect(ready(500)).toBe(0);
  expect(ready(553)).toBe(1);
  expect(ready(554)).toBe(1);
  part.read(INA219.power, 555e-6);
  expect(ready(556)).toBe(0);
  expect(ready(1103)).toBe(0);
  expect(ready(1105)).toBe(1);
});

test("current, power and overflow follow from the calibration", () => {
  const part = sensor(steady(1), CONFIG_12);
  expect(part.read(INA219.current, 1)).toBe(0);
  part.write(INA219.calibration, 4097, 1);
  expect(part.read(INA219.calibration, 1)).toBe(4096);
  expect(part.read(INA219.current, 1)).toBe(10_000);
  expect(part.read(INA219.power, 1)).toBe(2500);
  expect(part.read(INA219.bus, 1) & 1).toBe(0);
  part.write(INA219.calibration, 0xfffe, 1);
  expect(part.read(INA219.bus, 1) & 1).toBe(1);
});

test("gain and offset errors are what a calibration would find", () => {
  const part = sensor(steady(1), CONFIG_12, { shuntGainError: 0.01, shuntOffset_v: -50e-6, busGainError: -0.01, busOffset_v: 0.008 });
  expect(signed(part.read(INA219.shunt, 1))).toBe(10_095);
  expect(part.read(INA219.bus, 1) >> 3).toBe(Math.round((5 * 0.99 + 0.008) / 4e-3));
});
