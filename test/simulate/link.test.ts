import { expect, test } from "vitest";
import type { Block } from "../../src/model/block.ts";
import { drawDelay, exchangePings, type LinkModel, sendBlocks } from "../../src/simulate/link.ts";
import { oscillator } from "../../src/simulate/oscillator.ts";
import { seeded } from "../../src/simulate/random.ts";

const PER_BLOCK = 10;
const RATE_HZ = 1000;
const blocks = (n: number): Block[] =>
  Array.from({ length: n }, (_, k) => ({
    source: "meter",
    epoch: 0,
    sampler: "integrating",
    startTick: k * PER_BLOCK,
    ticks: { first: k * PER_BLOCK + 1, step: 1 },
    length: PER_BLOCK,
    lostBefore: 0,
    columns: {},
  }));
const send = (n: number, link: LinkModel, seed = 1) => [...sendBlocks(blocks(n), link, (tick) => tick / RATE_HZ, seeded(seed))];

test("a link without faults delivers every block after its shortest way", () => {
  const arrivals = send(100, { delay: { base_s: 0.002 } });
  expect(arrivals.map((a) => a.host_s)).toEqual(Array.from({ length: 100 }, (_, k) => ((k + 1) * PER_BLOCK) / RATE_HZ + 0.002));
});

test("every lost sample is in the next block's lostBefore, and nothing overtakes", () => {
  const arrivals = send(5000, { delay: { base_s: 0.0006, exponential_s: 0.005 }, loss: 0.1, batch: 3, stall: 0.01, stall_s: 0.06 });
  expect(arrivals.length).toBeGreaterThan(4300);
  expect(arrivals.length).toBeLessThan(4700);
  let next = 0;
  let last_s = 0;
  for (const { block, host_s } of arrivals) {
    expect(block.startTick).toBe(next + block.lostBefore);
    expect(host_s).toBeGreaterThanOrEqual(last_s);
    expect(host_s).toBeGreaterThanOrEqual((block.startTick + block.length) / RATE_HZ + 0.0006);
    next = block.startTick + block.length;
    last_s = host_s;
  }
});

test("a batch arrives together, an incomplete one too", () => {
  const times = send(7, { delay: { base_s: 0 }, batch: 3 }).map((a) => a.host_s);
  expect(times).toEqual([0.03, 0.03, 0.03, 0.06, 0.06, 0.06, 0.07]);
});

test("delays are never below their base and have the mean they say", () => {
  const random = seeded(5);
  const delays = Array.from({ length: 50_000 }, () =>
    drawDelay({ base_s: 0.001, exponential_s: 0.002, queues: 2, tail: 0.1, tail_s: 0.03 }, random),
  );
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0.001);
  const mean = delays.reduce((sum, d) => sum + d, 0) / delays.length;
  expect(Math.abs(mean - 0.008)).toBeLessThan(0.0003);
});

test("a clock reads as planted, both ways", () => {
  const clock = oscillator({ offset_s: 3.217, ppm: 37, warmup_ppm: 3, warmup_s: 300 });
  expect(clock.reading_s(0)).toBe(3.217);
  expect((clock.reading_s(1e-3) - 3.217) / 1e-3 - 1).toBeCloseTo(40e-6, 9);
  expect(clock.reading_s(5000) - clock.reading_s(4999) - 1).toBeCloseTo(37e-6, 10);
  for (const t of [-10, 0, 1.5, 300, 86_400]) expect(clock.true_s(clock.reading_s(t))).toBeCloseTo(t, 9);
  const resonator = oscillator({ ppm: -10_000 });
  expect(resonator.true_s(resonator.reading_s(86_400))).toBeCloseTo(86_400, 9);
});

test("the truth lies between the stamps of every ping that is not corrupted", () => {
  const clock = oscillator({ offset_s: 3.217, ppm: 37 });
  const link = {
    forward: { base_s: 0.001, exponential_s: 0.0025 },
    backward: { base_s: 0.001, exponential_s: 0.0025 },
    answer_s: 1e-5,
    loss: 0.05,
  };
  const pings = [...exchangePings({ from_s: 0, to_s: 100, every_s: 10, count: 16 }, link, clock, seeded(2))];
  expect(pings.length).toBeGreaterThan(130);
  expect(pings.length).toBeLessThan(176);
  for (const ping of pings) {
    expect(clock.true_s(ping.deviceReceived) - ping.sent_s).toBeGreaterThanOrEqual(0.001 - 1e-12);
    expect(ping.received_s - clock.true_s(ping.deviceSent)).toBeGreaterThanOrEqual(0.001 - 1e-12);
    expect(ping.deviceSent - ping.deviceReceived).toBeCloseTo(1e-5, 8);
  }
});

test("a busy device answers later, and corrupt stamps are as frequent as asked", () => {
  const quiet = { base_s: 0.001 };
  const link = {
    forward: quiet,
    backward: quiet,
    busy: { during: (t: number) => t >= 50, forward: { base_s: 0.0025 }, backward: { base_s: 0.0013 } },
  };
  const pings = [...exchangePings({ from_s: 0, to_s: 99, every_s: 1, count: 1 }, link, oscillator(), seeded(2))];
  for (const { sent_s, received_s } of pings) expect(received_s - sent_s).toBeCloseTo(sent_s >= 50 ? 0.0038 : 0.002, 9);
  const corrupt = { forward: quiet, backward: quiet, corrupt: 0.1, corrupt_s: 1 };
  const wrong = [...exchangePings({ from_s: 0, to_s: 999, every_s: 1, count: 1 }, corrupt, oscillator(), seeded(3))].filter(
    (p) => p.deviceReceived < p.sent_s || p.deviceSent > p.received_s,
  );
  expect(wrong.length).toBeGreaterThan(70);
  expect(wrong.length).toBeLessThan(130);
});
