import { describe, expect, test } from "vitest";
import { accuracy, BUS_LSB_V, countStep, fullScale, Options, SHUNT_LSB_V } from "../../src/instruments/bridge-ina219-options.ts";
import { named, rowsBelow } from "./pages.ts";

const PAGE = "docs/instruments/ina219.md";
const digits = (value: number): string => String(Number(value.toPrecision(3)));

describe("which shunt", () => {
  test.each(rowsBelow(PAGE, "Which shunt"))("%s at %s V", (...[shunt, range, ...rest]) => {
    const options = Options.parse({ shunt_ohm: Number.parseFloat(shunt!), shunt_range_v: Number(range) });
    const full_a = (fullScale(options).shunt * SHUNT_LSB_V) / options.shunt_ohm;
    const { currentResolution_a, currentOffset_a } = accuracy(options);
    expect(rest).toEqual([
      `${digits(full_a)} A`,
      `${digits(currentResolution_a * 1e3)} mA`,
      `${digits(currentOffset_a * Math.sqrt(3) * 1e3)} mA`,
      `${digits(full_a * options.shunt_ohm)} V, ${(full_a ** 2 * options.shunt_ohm).toFixed(2)} W`,
    ]);
  });
});

describe("rates", () => {
  test.each(rowsBelow(PAGE, "Rates"))("%s: %s Hz", (setting, rate, current, voltage) => {
    const [key = "", value] = named(setting!)[0]!.split(": ");
    const at = (rate_hz: number) => Options.safeParse({ shunt_ohm: 0.1, rate_hz, [key]: Number(value) });
    expect([at(Number(rate)).success, at(Number(rate) + 1).success]).toEqual([true, false]);
    const step = countStep(at(Number(rate)).data!);
    expect(current).toBe(`${digits(step * SHUNT_LSB_V * 1e6)} µV`);
    expect(voltage).toBe(`${digits(step * BUS_LSB_V * 1e3)} mV`);
  });
});
