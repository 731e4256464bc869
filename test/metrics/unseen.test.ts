import { expect, test } from "vitest";
import { readCounter } from "../../src/metrics/counter.ts";
import { unseen_w } from "../../src/metrics/unseen.ts";
import type { Block } from "../../src/model/block.ts";
import { identityMap } from "../../src/model/clock.ts";
import { between, exponential, normal, type Random, seeded } from "../../src/simulate/random.ts";
import { fromSteps, waveform } from "../../src/simulate/waveforms.ts";

const STEP_S = 1e-3;
const SAMPLES = 2000;
const accuracy = { gain: 0, currentOffset_a: 0, voltageOffset_v: 0, currentResolution_a: 0, voltageResolution_v: 0, sampling_s: 0 };

/** Claimed uncertainty of the mean of samples that each stand for their surroundings. */
function claimed_w(power_w: Float64Array): number {
  const block: Block = {
    source: "m",
    epoch: 0,
    sampler: "averaged",
    startTick: 0,
    ticks: { first: STEP_S, step: STEP_S },
    length: power_w.length,
    lostBefore: 0,
    columns: { "main.power_w": power_w },
  };
  const at = Float64Array.of(0, power_w.length * STEP_S);
  const measurand = { source: "m", channel: "main", accuracy };
  const readings = readCounter(() => [block], { measurand, maps: [identityMap("m", 0)] }, at, { of: new Uint8Array(2), count: 1 });
  return unseen_w(readings, 0, 1);
}

/** Root mean square of true errors over that of claims, for trials that give the samples and the error of their mean. */
function ratio(trial: (random: Random) => { readonly power_w: Float64Array; readonly error_w: number }): number {
  const random = seeded(3);
  let [errors, claims] = [0, 0];
  for (let k = 0; k < 400; k++) {
    const { power_w, error_w } = trial(random);
    errors += error_w ** 2;
    claims += claimed_w(power_w) ** 2;
  }
  return Math.sqrt(errors / claims);
}

const mean = (values: Float64Array): number => values.reduce((sum, each) => sum + each, 0) / values.length;

test("steps between samples: a twelfth of each, as the samples' own differences say", () => {
  const found = ratio((random) => {
    const steps = [];
    for (let from_s = 0; from_s < SAMPLES * STEP_S; ) {
      const to_s = from_s + 5e-3 + exponential(random, 15e-3);
      steps.push({ from_s, to_s, power_w: between(random, 2, 8) });
      from_s = to_s;
    }
    const plant = waveform(fromSteps(steps));
    const power_w = Float64Array.from({ length: SAMPLES }, (_, k) => plant.power_w((k + 0.5) * STEP_S));
    return { power_w, error_w: mean(power_w) - plant.energy_j(0, SAMPLES * STEP_S) / (SAMPLES * STEP_S) };
  });
  expect(found).toBeGreaterThan(0.88);
  expect(found).toBeLessThan(1.12);
});

test("noise that is new in every sample leaves all its variance", () => {
  const found = ratio((random) => {
    const power_w = Float64Array.from({ length: SAMPLES }, () => 5 + normal(random));
    return { power_w, error_w: mean(power_w) - 5 };
  });
  expect(found).toBeGreaterThan(0.88);
  expect(found).toBeLessThan(1.12);
});

test("a constant leaves nothing, nor does a single sample", () => {
  expect(claimed_w(new Float64Array(SAMPLES).fill(5))).toBe(0);
  expect(claimed_w(Float64Array.of(5))).toBe(0);
});
