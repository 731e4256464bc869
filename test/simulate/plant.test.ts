import { expect, test } from "vitest";
import { meanPower, type Plant, shifted, together } from "../../src/simulate/plant.ts";
import { between, seeded } from "../../src/simulate/random.ts";
import { fromSteps, squareSteps, throughPole, waveform } from "../../src/simulate/waveforms.ts";
import { S2_STEPS, scenario } from "./scenarios.ts";

const steps = waveform(fromSteps(S2_STEPS));
const mixed = waveform(
  [
    { from_s: 0, to_s: 2, shape: { kind: "const", power_w: 5 } },
    { from_s: 2, to_s: 5, shape: { kind: "ramp", start_w: 1, slope_w_s: 2 } },
    { from_s: 6, to_s: 9, shape: { kind: "exp", final_w: 6, step_w: -2, tau_s: 0.7 } },
    { from_s: 9, to_s: 12, shape: { kind: "sine", mean_w: 5, amplitude_w: 1.5, frequency_hz: 3.3 } },
  ],
  { rest_w: 1.2 },
);
const background = waveform(fromSteps(squareSteps({ from_s: 0.5, count: 40, high_w: 0.3, high_s: 0.05, low_w: 0, low_s: 0.2 })));
const all: [string, Plant][] = [
  ["mixed", mixed],
  ["one pole", waveform(throughPole(S2_STEPS, 0.05, 1.2), { rest_w: 1.2 })],
  ["shifted", shifted(mixed, 0.123)],
  ["with background", together(mixed, background)],
];

/** Midpoint rule with so many cells that steps in between cost less than the tolerance. */
function integrate(plant: Plant, from: number, to: number): number {
  const cells = 40_000;
  const width = (to - from) / cells;
  let sum = 0;
  for (let k = 0; k < cells; k++) sum += plant.power_w(from + (k + 0.5) * width);
  return sum * width;
}

test.each(all)("energy of %s is the integral of its power", (_, plant) => {
  const random = seeded(11);
  for (let trial = 0; trial < 25; trial++) {
    const [from, to] = [between(random, -1, 13), between(random, -1, 13)].toSorted((a, b) => a - b) as [number, number];
    // Each of up to 90 steps of a few watts may be misplaced by half a cell.
    expect(Math.abs(plant.energy_j(from, to) - integrate(plant, from, to))).toBeLessThan(0.012 * (to - from));
    expect(plant.energy_j(to, from)).toBe(-plant.energy_j(from, to));
  }
});

test.each(all)("energies of %s telescope", (_, plant) => {
  const random = seeded(12);
  const cuts = Array.from({ length: 300 }, () => between(random, -1, 14)).toSorted((a, b) => a - b);
  const parts = cuts.slice(1).reduce((sum, cut, k) => sum + plant.energy_j(cuts[k]!, cut), 0);
  expect(parts).toBeCloseTo(plant.energy_j(cuts[0]!, cuts.at(-1)!), 10);
});

test.each(all)("means of %s in bulk are its energies one by one", (_, plant) => {
  for (const [from, step] of [[-0.5, 0.0137] as const, [0, 0.02] as const, [1.99, 1e-4] as const]) {
    const means = new Float64Array(1000);
    meanPower(plant, from, step, means);
    for (let k = 0; k < means.length; k++) {
      expect(means[k]).toBeCloseTo(plant.energy_j(from + k * step, from + (k + 1) * step) / step, 8);
    }
  }
});

test("S1, S2: constant and stepped power", () => {
  const s1 = scenario("S1-constant").expect;
  const constant = waveform([{ from_s: 0, to_s: 20, shape: { kind: "const", power_w: 5 } }]);
  expect(constant.energy_j(2, 12)).toBe(s1.decode_J);
  const s2 = scenario("S2-phases").expect;
  expect(steps.energy_j(2, 3.2)).toBeCloseTo(s2.prefill_J!, 12);
  expect(steps.energy_j(3.2, 13.2)).toBeCloseTo(s2.decode_J!, 12);
  expect(steps.energy_j(2, 13.2)).toBeCloseTo(s2.total_J!, 12);
  expect(steps.energy_j(0.2, 1.8) / 1.6).toBeCloseTo(s2.idle_W!, 12);
});

test("S3: shifted by a fraction of any sample, the same energies", () => {
  const by_s = 0.0001414213562373095;
  const plant = shifted(steps, by_s);
  expect(plant.energy_j(2 + by_s, 3.2 + by_s)).toBeCloseTo(10.8, 10);
  const tokens = Array.from({ length: 100 }, (_, k) => plant.energy_j(3.2 + by_s + k * 0.1, 3.2 + by_s + (k + 1) * 0.1));
  expect(tokens.reduce((a, b) => a + b)).toBeCloseTo(50, 10);
});

test("S4: square ripple token by token", () => {
  const plant = waveform(fromSteps(squareSteps({ from_s: 1, count: 250, high_w: 8, high_s: 0.03, low_w: 3, low_s: 0.05 })), {
    rest_w: 1.2,
  });
  const { J_per_token, total_J, mean_W } = scenario("S4-token-square").expect;
  expect(plant.energy_j(1, 21)).toBeCloseTo(total_J!, 10);
  expect(plant.energy_j(1, 21) / 20).toBeCloseTo(mean_W!, 10);
  for (let k = 0; k < 250; k++) expect(plant.energy_j(1 + k * 0.08, 1 + (k + 1) * 0.08)).toBeCloseTo(J_per_token!, 10);
});

test("S5, S6, S7: ramp, warm-up, sine", () => {
  const ramp = waveform([{ from_s: 0, to_s: 100, shape: { kind: "ramp", start_w: 4, slope_w_s: 0.02 } }]);
  expect(ramp.energy_j(0, 100)).toBeCloseTo(scenario("S5-ramp").expect.total_J!, 10);
  expect(ramp.energy_j(50, 50.1)).toBeCloseTo(scenario("S5-ramp").expect.token_500_J!, 12);
  const warmUp = waveform([{ from_s: 1, to_s: 61, shape: { kind: "exp", final_w: 6, step_w: -2, tau_s: 8 } }], { rest_w: 1.2 });
  expect(warmUp.energy_j(1, 61)).toBeCloseTo(scenario("S6-exponential-warmup").expect.E_J!, 10);
  const sine = waveform([{ from_s: 0, to_s: 10.3, shape: { kind: "sine", mean_w: 5, amplitude_w: 1.5, frequency_hz: 5000.5 } }]);
  expect(sine.energy_j(1, 8.7)).toBeCloseTo(scenario("S7-ripple-alias").expect.E_J!, 8);
});

test("S10: behind a pole the energy is short by tau times the rise of what came through", () => {
  const tau_s = 1e-3;
  const plant = waveform(throughPole(S2_STEPS, tau_s, 1.2), { rest_w: 1.2 });
  expect(plant.energy_j(2, 3.2)).toBeCloseTo(scenario("S10-analog-pole").expect.prefill_meas_J!, 12);
  for (const [a, b] of [[0.3, 2.0004] as const, [2.0004, 13.2003] as const, [3, 20] as const]) {
    const direct = waveform(fromSteps(S2_STEPS), { rest_w: 1.2 });
    expect(plant.energy_j(a, b)).toBeCloseTo(direct.energy_j(a, b) - tau_s * (plant.power_w(b) - plant.power_w(a)), 10);
  }
});

test("a day is as exact as a second, in one stretch or in a hundred thousand", () => {
  const constant = waveform([{ from_s: 0, to_s: 86_400, shape: { kind: "const", power_w: 5.1 } }]);
  const { E_J, last_80ms_J } = scenario("S11-24h").expect;
  expect(Math.abs(constant.energy_j(0, 86_400) / E_J! - 1)).toBeLessThan(1e-15);
  expect(Math.abs(constant.energy_j(86_399.92, 86_400) - last_80ms_J!)).toBeLessThan(1e-9);
  const edge = (k: number): number => k * 0.864;
  const many = waveform(fromSteps(Array.from({ length: 100_000 }, (_, k) => ({ from_s: edge(k), to_s: edge(k + 1), power_w: 5.1 }))));
  expect(Math.abs(many.energy_j(0, 86_400) / E_J! - 1)).toBeLessThan(1e-15);
  expect(Math.abs(many.energy_j(86_399.92, 86_400) - last_80ms_J!)).toBeLessThan(1e-9);
});

test("stretches that overlap or run back are refused", () => {
  const flat = { kind: "const", power_w: 1 } as const;
  const build =
    (...edges: [number, number][]) =>
    () =>
      waveform(edges.map(([from_s, to_s]) => ({ from_s, to_s, shape: flat })));
  expect(build([0, 2], [1, 3])).toThrow(RangeError);
  expect(build([0, -1])).toThrow(RangeError);
  expect(build([Number.NaN, 1])).toThrow(RangeError);
  expect(build([0, 2], [2, 2], [3, 4])).not.toThrow();
});
