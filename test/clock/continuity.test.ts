import { describe, expect, test } from "vitest";
import { ArrivalEnvelope, fitArrivals } from "../../src/clock/arrival-map.ts";
import { Continuity, type Discontinuity } from "../../src/clock/continuity.ts";
import { type Block, endTick } from "../../src/model/block.ts";
import { toSession } from "../../src/model/clock.ts";
import type { ClockSpec } from "../../src/model/instrument.ts";
import { idealBlocks } from "../../src/simulate/ideal.ts";
import { type Delay, drawDelay, sendBlocks } from "../../src/simulate/link.ts";
import { oscillator } from "../../src/simulate/oscillator.ts";
import { seeded } from "../../src/simulate/random.ts";
import { waveform } from "../../src/simulate/waveforms.ts";

const MS = 1e-3;
const DURATION_S = 120;
const BROKEN_S = 60;
const SEEDS = Array.from({ length: 50 }, (_, k) => k + 1);

interface Stream {
  readonly every_s: number;
  readonly delay: Delay;
  readonly ppm: number;
  readonly spec: ClockSpec;
}

const usb: Stream = {
  ...{ every_s: 0.0192, delay: { base_s: 0.6 * MS, exponential_s: 1 * MS }, ppm: 100 },
  spec: { nominal_hz: 5000, limit_ppm: 500, latency_s: 0.6 * MS, u_latency_s: 0.3 * MS },
};
const serial: Stream = {
  ...{ every_s: 0.016, delay: { base_s: 0, exponential_s: 5 * MS, queues: 2 }, ppm: 100 },
  spec: { nominal_hz: 1000, limit_ppm: 500, latency_s: 0, u_latency_s: 0 },
};
const bridge: Stream = {
  ...{ every_s: 0.016, delay: { base_s: 0.5 * MS, exponential_s: 0.3 * MS }, ppm: 3000 },
  spec: { nominal_hz: 1e6, limit_ppm: 10_000, latency_s: 0.5 * MS, u_latency_s: 0.1 * MS },
};

/** Breaks found in two minutes in which the count jumps by `size_s` after one; one arrival in 500 is held up for 60 ms. */
function watch({ every_s, delay, ppm, spec }: Stream, size_s: number, seed: number): (Discontinuity & { true_s: number })[] {
  const random = seeded(seed);
  const clock = oscillator({ ppm });
  const continuity = new Continuity(spec);
  const found: (Discontinuity & { true_s: number })[] = [];
  let host_s = 0;
  for (let true_s = every_s; true_s <= DURATION_S; true_s += every_s) {
    host_s = Math.max(host_s, true_s + drawDelay(delay, random) + (random() < 0.002 ? 60 * MS : 0));
    const tick = (clock.reading_s(true_s) + (true_s > BROKEN_S ? size_s : 0)) * spec.nominal_hz;
    const discontinuity = continuity.push([tick - every_s * spec.nominal_hz, tick], host_s);
    if (discontinuity) found.push({ ...discontinuity, true_s });
  }
  return found;
}

describe("ticks that keep their relation to time", () => {
  test.each([
    ["usb", usb],
    ["serial", serial],
    ["bridge", bridge],
  ])("%s: nothing is found in jitter and stalls", (_, stream) => {
    for (const seed of SEEDS) expect(watch(stream, 0, seed)).toEqual([]);
  });

  test("a host that sleeps for half a minute, and finds all data waiting, breaks nothing", () => {
    const continuity = new Continuity(bridge.spec);
    for (let t = 0; t < 90; t += 0.016) {
      const host_s = t >= 30 && t < 60 ? 60 : t;
      expect(continuity.push([(t - 0.016) * 1e6, t * 1e6], host_s + MS)).toBeUndefined();
    }
  });
});

describe("ticks that lose it", () => {
  test.each([
    ["usb", usb, 3 * MS],
    ["usb", usb, 30 * MS],
    ["serial", serial, 30 * MS],
    ["bridge", bridge, 3 * MS],
  ])("%s: a count that runs ahead is found within a second", (_, stream, size_s) => {
    for (const seed of SEEDS) {
      const found = watch(stream, size_s, seed);
      expect(found).toMatchObject([{ reason: expect.stringContaining("ran ahead") }]);
      expect(found[0]!.true_s - BROKEN_S).toBeLessThan(1);
    }
  });

  test.each([
    ["usb", usb],
    ["bridge", bridge],
  ])("%s: a count that falls behind by 15 ms is found within six seconds, and since when is said", (_, stream) => {
    for (const seed of SEEDS) {
      const found = watch(stream, -15 * MS, seed);
      expect(found).toMatchObject([{ reason: expect.stringContaining("fell behind") }]);
      expect(found[0]!.true_s - BROKEN_S).toBeLessThan(6);
      expect(Math.abs(found[0]!.since_s - BROKEN_S)).toBeLessThan(0.2);
    }
  });

  test("ticks that run back, and more than a second of them missing", () => {
    expect(watch(bridge, -0.5, 1)).toMatchObject([{ reason: expect.stringMatching(/^its ticks ran back by 0\.48/) }]);
    expect(watch(bridge, 1.5, 1)).toMatchObject([{ reason: expect.stringMatching(/^1\.50? s of samples are missing/) }]);
    expect(watch(bridge, 0.9, 1)).toMatchObject([{ reason: expect.stringContaining("ran ahead") }]);
  });
});

describe("an instrument without a clock, its samples counted, 5 kHz", () => {
  const clock = oscillator({ ppm: 80, warmup_ppm: 2 });
  const plant = waveform([], { rest_w: 5 });
  const link = { delay: { base_s: 0.6 * MS, exponential_s: 0.25 * MS }, stall: 0.002, stall_s: 60 * MS, loss: 0.02 };
  const sent = (seed: number) => {
    const options = { source: "meter", rate_hz: 5000, sampler: "integrating", clock, blockLength: 96 } as const;
    const blocks = idealBlocks(plant, options, 0, DURATION_S);
    return sendBlocks(blocks, link, (tick) => clock.true_s(tick / 5000), seeded(seed));
  };

  /** Maps of the segments of what the host counted, with the true ticks of each block. */
  function placed(seed: number, count: (block: Block, counted: number) => number) {
    const continuity = new Continuity(usb.spec);
    const segments = [new ArrivalEnvelope(5000)];
    const blocks: { tick: number; true_s: number; segment: number }[] = [];
    let counted = 0;
    for (const { block, host_s } of sent(seed)) {
      const start = counted + count(block, counted);
      counted = start + block.length;
      if (continuity.push([start, counted], host_s)) segments.push(new ArrivalEnvelope(5000));
      segments.at(-1)!.push(counted, host_s);
      blocks.push({ tick: counted, true_s: clock.true_s(endTick(block) / 5000), segment: segments.length - 1 });
    }
    const fits = segments.map((envelope, k) => fitArrivals(envelope, usb.spec, "meter", k));
    const errors = blocks.map((each) => ({ ...each, off_s: Math.abs(toSession(fits[each.segment]!.map!, each.tick) - each.true_s) }));
    return { fits, errors };
  }

  test("losses are counted as samples: one segment, within 0.05 ms, its rate within 3 ppm", () => {
    for (const seed of SEEDS.slice(0, 10)) {
      const { fits, errors } = placed(seed, (block) => block.lostBefore);
      expect(fits).toHaveLength(1);
      expect(Math.max(...errors.map(({ off_s }) => off_s))).toBeLessThan(0.05 * MS);
      expect(Math.abs(fits[0]!.facts.rate_ppm - 80)).toBeLessThan(3);
    }
  });

  test("96 samples counted twice once: two segments, both within 0.05 ms", () => {
    for (const seed of SEEDS.slice(0, 10)) {
      let isDone = false;
      const { fits, errors } = placed(seed, (block, counted) => {
        if (isDone || counted < BROKEN_S * 5000) return block.lostBefore;
        isDone = true;
        return block.lostBefore + 96;
      });
      expect(fits).toHaveLength(2);
      expect(errors.filter(({ off_s }) => off_s > 0.05 * MS).length).toBeLessThanOrEqual(2);
    }
  });

  test("losses that are not counted show in the map's uncertainty where they are too small to be found", () => {
    const { fits, errors } = placed(1, (block, counted) => (counted > BROKEN_S * 5000 ? 0 : block.lostBefore));
    const worst_s = Math.max(...errors.map(({ off_s }) => off_s));
    expect(worst_s).toBeGreaterThan(5 * MS);
    const isSaid = fits.length > 1 || fits.some(({ facts }) => facts.windows_beyond_limit > 0 || facts.u_max_s > MS);
    expect(isSaid).toBe(true);
  });
});
