import { join } from "node:path";
import { expect, test } from "vitest";
import { eembc } from "../../src/importers/eembc.ts";
import { mlperfPower } from "../../src/importers/mlperf-power.ts";
import { measured } from "./measured.ts";

const folder = (name: string) => join(import.meta.dirname, "../realdata", name);

test.each(["ic", "ad"])("EEMBC U575-%s: every published window energy within 100 ppm, and shown beside ours", async (benchmark) => {
  const { one, results } = measured(eembc.decode(await eembc.collect(folder(`mlperf-tiny-v1.0-U575-${benchmark}`))));
  const published = results.references.filter(({ name }) => name === "unit_energy");
  expect(published).toHaveLength(5);
  for (const { request, value } of published) {
    const ours = one("unit_energy", request);
    expect(Math.abs(ours.value! / value - 1)).toBeLessThan(100e-6);
    expect(ours.coverage).toBeGreaterThan(1 - 1e-9);
    expect(Math.abs(ours.value! - value)).toBeLessThan(2 * ours.uncertainty!);
  }
  const median = results.references.find(({ name }) => name === "energy_per_unit")!.value;
  const perUnit = ["window 2", "window 4", "window 6", "window 8", "window 10"].map((request) => one("energy_per_unit", request).value!);
  expect(Math.abs(perUnit.toSorted((a, b) => a - b)[2]! / median - 1)).toBeLessThan(100e-6);
});

test("MLPerf Power: its values, labelled, beside our own, and the clock difference of the hosts", async () => {
  const recording = mlperfPower.decode(await mlperfPower.collect(folder("mlperf-inf-v1.1-xavier-maxq-ssd-resnet34-singlestream")));
  const { one, results } = measured(recording);
  expect(results.references.map(({ method, name, value, unit }) => `${method} ${name} ${value.toFixed(4)} ${unit}`)).toEqual([
    "MLPerf Power samples in window 600.0000 1",
    "MLPerf Power unit_mean_power 23.4220 W",
    "MLPerf Power unit_energy 14054.6762 J",
    "MLPerf Power energy_per_unit 0.7906 J",
    "MLPerf Power, point trapezoid unit_energy 14058.5479 J",
  ]);
  const ours = one("unit_energy");
  expect(ours.value).toBeCloseTo(14067.958, 2);
  expect(ours.coverage).toBeGreaterThan(1 - 1e-9);
  // The analyser's 1 % is most of it, and MLPerf's value lies well inside.
  expect(ours.uncertainty).toBeGreaterThan(81);
  expect(ours.uncertainty).toBeLessThan(83);
  expect(one("energy_per_unit").value).toBeCloseTo(14067.958 / 17778, 5);
  expect(results.clocks.loadgen).toMatchObject({ client_minus_server_s: expect.closeTo(-0.1698, 4), exchanges: 3 });
});
