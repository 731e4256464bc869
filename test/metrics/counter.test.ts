import { expect, test } from "vitest";
import { readCounter } from "../../src/metrics/counter.ts";
import type { Block } from "../../src/model/block.ts";
import { identityMap } from "../../src/model/clock.ts";
import type { Measurand } from "../../src/model/recording.ts";
import { seeded } from "../../src/simulate/random.ts";

const accuracy = { gain: 0, currentOffset_a: 0, voltageOffset_v: 0, currentResolution_a: 0, voltageResolution_v: 0, sampling_s: 0 };
const measurand: Measurand = { source: "m", channel: "main", accuracy };
const context = { measurand, maps: [identityMap("m", 0)] };
const oneClass = (n: number) => ({ of: new Uint8Array(n), count: 1 });

function block(power_w: readonly number[], first: number, step: number, more: Partial<Block> = {}): Block {
  return {
    source: "m",
    epoch: 0,
    sampler: "integrating",
    startTick: first - step,
    ticks: { first, step },
    length: power_w.length,
    lostBefore: 0,
    columns: { "main.power_w": Float64Array.from(power_w) },
    ...more,
  };
}

/** Energy by overlap of every sample with the window: the definition, without any prefix sum. */
function overlap(blocks: readonly Block[], from: number, to: number): { energy_j: number; covered_s: number } {
  let [energy_j, covered_s] = [0, 0];
  for (const { ticks, length, startTick, columns } of blocks)
    for (let k = 0; k < length; k++) {
      const end = ticks instanceof Float64Array ? ticks[k]! : ticks.first + k * ticks.step;
      const start = k === 0 ? startTick : ticks instanceof Float64Array ? ticks[k - 1]! : ticks.first + (k - 1) * ticks.step;
      const shared = Math.max(0, Math.min(to, end) - Math.max(from, start));
      energy_j += shared * columns["main.power_w"]![k]!;
      covered_s += shared;
    }
  return { energy_j, covered_s };
}

test("energy and coverage between any two instants are those of the overlapping samples", () => {
  const random = seeded(4);
  const draw = (n: number) => Array.from({ length: n }, () => 10 * random());
  const uneven = Float64Array.from([4.0, 4.05, 4.2, 4.21, 4.6]);
  const blocks = [
    block(draw(30), 0.1, 0.1),
    block(draw(7), 3.13, 0.1, { startTick: 3 }),
    // 3.73 to 3.95 is missing
    block(draw(5), 0, 0, { startTick: 3.95, ticks: uneven, lostBefore: 2 }),
    block(draw(20), 4.65, 0.05),
  ];
  const at = Float64Array.from({ length: 60 }, () => -0.5 + 7 * random()).sort();
  const readings = readCounter(() => blocks, context, at, oneClass(at.length));
  for (let i = 0; i < at.length; i++)
    for (let j = i; j < at.length; j++) {
      const truth = overlap(blocks, at[i]!, at[j]!);
      expect(readings.energy_j[j]! - readings.energy_j[i]!).toBeCloseTo(truth.energy_j, 10);
      expect(readings.covered_s[j]! - readings.covered_s[i]!).toBeCloseTo(truth.covered_s, 10);
    }
});

test("point samples are joined by straight lines, also across blocks, and not across lost samples", () => {
  const ramp = (from: number, n: number, more: Partial<Block> = {}) =>
    block(
      Array.from({ length: n }, (_, k) => 4 + 0.5 * (from + k * 0.1)),
      from,
      0.1,
      { sampler: "point", startTick: from, ...more },
    );
  const at = Float64Array.from([0.03, 1.27, 1.45]);
  const whole = readCounter(() => [ramp(0, 10), ramp(1, 10)], context, at, oneClass(3));
  const exact = (a: number, b: number) => 4 * (b - a) + 0.25 * (b * b - a * a);
  expect(whole.energy_j[1]! - whole.energy_j[0]!).toBeCloseTo(exact(0.03, 1.27), 12);
  expect(whole.energy_j[2]! - whole.energy_j[1]!).toBeCloseTo(exact(1.27, 1.45), 12);
  const torn = readCounter(() => [ramp(0, 10), ramp(1.2, 8, { lostBefore: 2 })], context, at, oneClass(3));
  expect(torn.covered_s[1]! - torn.covered_s[0]!).toBeCloseTo(0.87 + 0.07, 12);
  expect(torn.gap_s[1]).toBe(0);
});

test("an instant in a gap knows how long the gap is, also exactly at its edges, and outside of the trace it is endless", () => {
  const blocks = [block([1, 1], 0.5, 0.5), block([1, 1], 2, 0.5, { startTick: 1.5, lostBefore: 1 })];
  const at = Float64Array.from([-1, 0, 0.5, 1, 1.2, 1.5, 1.7, 2.5, 3]);
  const { gap_s } = readCounter(() => blocks, context, at, oneClass(at.length));
  expect([...gap_s]).toEqual([Infinity, 0, 0, 0.5, 0.5, 0.5, 0, 0, Infinity]);
});

test("peaks are those of the samples an interval touches", () => {
  const at = Float64Array.from([0.2, 0.4, 0.9]);
  const { peak_w } = readCounter(() => [block([1, 7, 2, 3], 0.25, 0.25)], context, at, oneClass(3));
  expect([...peak_w]).toEqual([7, 7, 3]);
});

test("powers are kept apart by class; a sample with an instant in it belongs to what follows", () => {
  const at = Float64Array.from([0.5, 1.1, 1.6]);
  const blocks = [block([1, 2, 3, 4, 5], 0.25, 0.25), block([6, 7], 1.75, 0.25, { startTick: 1.5, lostBefore: 1 })];
  const { classes } = readCounter(() => blocks, context, at, { of: Uint8Array.from([1, 2, 1]), count: 3 });
  const seen = classes.map(({ total, histogram }) => Array.from({ length: total }, (_, k) => histogram.quantile((k + 0.5) / total)));
  expect(seen).toEqual([[1, 2], [3, 4, 6, 7], [5]]);
});

test("squared differences of neighbours are counted where something may hide between them, and not across a gap", () => {
  const at = Float64Array.from([0, 1, 9]);
  const roughness = (sampler: Block["sampler"]) => {
    const blocks = [block([1, 3, 2, 2], 0.25, 0.25, { sampler }), block([7, 4], 2.25, 0.25, { sampler, lostBefore: 4 })];
    return [...readCounter(() => blocks, context, at, oneClass(3)).roughness_w2];
  };
  expect(roughness("averaged")).toEqual([0, 5, 14]);
  expect(roughness("integrating")).toEqual([]);
});

test("a constant power of a day at 5 kHz adds up without drift", () => {
  const samples = 5000;
  const power_w = new Float64Array(samples).fill(5.1);
  function* day(): Generator<Block> {
    for (let s = 0; s < 86_400; s += 40) {
      const first = s * 5000 + 40;
      yield { ...block([], first, 40), length: samples, columns: { "main.power_w": power_w } };
    }
  }
  const maps = [{ source: "m", epoch: 0, pieces: [{ fromTick: 0, t0_s: 0 as never, rate_hz: 5000, u_s: 0, bound_s: 0 }] }];
  const at = Float64Array.from([0, 86_399.92, 86_400]);
  const { energy_j, energyLow_j } = readCounter(day, { measurand, maps }, at, oneClass(3));
  const between = (i: number, j: number) => energy_j[j]! - energy_j[i]! + (energyLow_j[j]! - energyLow_j[i]!);
  expect(Math.abs(between(0, 2) / 440_640 - 1)).toBeLessThan(1e-12);
  expect(Math.abs(between(1, 2) - 0.408)).toBeLessThan(1e-9);
});
