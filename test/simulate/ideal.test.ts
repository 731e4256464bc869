import { expect, test } from "vitest";
import { type Block, endTick, tickAt } from "../../src/model/block.ts";
import { type IdealOptions, idealBlocks } from "../../src/simulate/ideal.ts";
import { type Oscillator, oscillator } from "../../src/simulate/oscillator.ts";
import { fromSteps, waveform } from "../../src/simulate/waveforms.ts";
import { S2_STEPS, scenario } from "./scenarios.ts";

const plant = waveform(fromSteps(S2_STEPS), { rest_w: 1.2 });
const options = (more: Partial<IdealOptions>): IdealOptions => ({ source: "meter", rate_hz: 1000, sampler: "integrating", ...more });
const blocksOf = (more: Partial<IdealOptions>, from_s = 0, to_s = 16): Block[] => [...idealBlocks(plant, options(more), from_s, to_s)];
const powerOf = (block: Block): Float64Array => block.columns["main.power_w"]!;
const energyOf = (blocks: readonly Block[], clock: Oscillator, rate_hz: number): number =>
  blocks.reduce((total, block) => {
    const length_s = clock.true_s(endTick(block) / rate_hz) - clock.true_s(block.startTick / rate_hz);
    return total + (powerOf(block).reduce((sum, p) => sum + p, 0) / block.length) * length_s;
  }, 0);

test.each([10, 100, 1000, 4999.7])("an integrating sampler at %d Hz loses no energy and no tick", (rate_hz) => {
  const blocks = blocksOf({ rate_hz });
  expect(blocks[0]!.startTick).toBe(0);
  for (const [k, block] of blocks.slice(1).entries()) expect(block.startTick).toBe(endTick(blocks[k]!));
  const end_s = endTick(blocks.at(-1)!) / rate_hz;
  expect(16 - end_s).toBeLessThan(1 / rate_hz);
  expect(energyOf(blocks, oscillator(), rate_hz)).toBeCloseTo(plant.energy_j(0, end_s), 9);
});

test("a wrong clock moves the samples, not the energy", () => {
  const clock = oscillator({ offset_s: 2.5, ppm: 3000, warmup_ppm: 100, warmup_s: 5 });
  const blocks = blocksOf({ clock }, 1, 15);
  const from_s = clock.true_s(blocks[0]!.startTick / 1000);
  const to_s = clock.true_s(endTick(blocks.at(-1)!) / 1000);
  expect(from_s).toBeGreaterThanOrEqual(1);
  expect(from_s).toBeLessThan(1.001);
  expect(to_s).toBeGreaterThan(14.999);
  expect(energyOf(blocks, clock, 1000)).toBeCloseTo(plant.energy_j(from_s, to_s), 9);
});

test("a point sampler sees instants, an averaged one the end of each interval", () => {
  const points = blocksOf({ sampler: "point", rate_hz: 10 });
  expect(points[0]!.startTick).toBe(0);
  for (const block of points) for (const [k, p] of powerOf(block).entries()) expect(p).toBe(plant.power_w(tickAt(block, k) / 10));
  expect(endTick(points.at(-1)!)).toBe(160);
  // Of the 10 ms up to 2 s and up to 2.01 s the last 4 each: all before the step, and all after it.
  const averaged = blocksOf({ sampler: "averaged", averaged_s: 0.004, rate_hz: 100, blockLength: 2 }, 1.99, 2.01);
  expect([...powerOf(averaged[0]!)]).toEqual([expect.closeTo(1.2, 9), expect.closeTo(9, 9)]);
  expect(() => blocksOf({ sampler: "averaged" })).toThrow(/averaged_s/);
});

test("S11: a day at 5 kHz costs memory for one block, and its bins are exact", () => {
  const constant = waveform([{ from_s: 0, to_s: 86_400, shape: { kind: "const", power_w: 5.1 } }]);
  let samples = 0;
  let off = 0;
  // The last minute only: the day itself is in the benchmark and in the ground-truth tests.
  for (const block of idealBlocks(constant, options({ rate_hz: 5000 }), 86_340, 86_400)) {
    samples += block.length;
    for (const p of powerOf(block)) if (p !== 5.1) off++;
  }
  expect([samples, off]).toEqual([300_000, 0]);
  expect(constant.energy_j(0, 86_400)).toBeCloseTo(scenario("S11-24h").expect.E_J!, 9);
});
