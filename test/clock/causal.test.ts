import { expect, test } from "vitest";
import { CausalMap, CausalPings } from "../../src/clock/causal.ts";
import { type ClockPiece, pieceAt, type SessionSeconds, type TimeMap, toSession } from "../../src/model/clock.ts";
import { exchangePings } from "../../src/simulate/link.ts";
import { oscillator } from "../../src/simulate/oscillator.ts";
import { seeded } from "../../src/simulate/random.ts";
import { SEEDS } from "./trials.ts";

const piece = (t0_s: number, rate_hz = 1, u_s = 1e-4): ClockPiece => ({
  ...{ fromTick: 0, t0_s: t0_s as SessionSeconds, rate_hz, u_s, bound_s: Number.POSITIVE_INFINITY },
});

test("before the first fit no tick has a time", () => {
  expect(new CausalMap("device", 0).at(5)).toBeUndefined();
});

test("a map meets a new fit after ten seconds, without a jump", () => {
  const causal = new CausalMap("device", 0);
  causal.steer(0, piece(0));
  expect(causal.at(100)).toBe(100);
  causal.steer(100, piece(0.01));
  expect(causal.at(100)).toBe(100);
  expect(causal.at(105)).toBeCloseTo(105.005, 9);
  expect(causal.at(110)).toBeCloseTo(110.01, 9);
  expect(causal.at(1000)).toBeCloseTo(1000.01, 9);
});

test("the uncertainty says how far from the newest fit the map still is", () => {
  const causal = new CausalMap("device", 0);
  causal.steer(0, piece(0));
  causal.steer(100, piece(0.01));
  expect(pieceAt(causal.map, 105).u_s).toBeCloseTo(Math.hypot(1e-4, 0.01), 9);
  expect(pieceAt(causal.map, 111).u_s).toBeCloseTo(1e-4, 9);
});

test("ticks already given a time are not moved by a fit that is for earlier ones", () => {
  const causal = new CausalMap("device", 0);
  causal.steer(0, piece(0));
  const promised = causal.at(150);
  causal.steer(100, piece(0.01));
  expect(causal.at(150)).toBe(promised);
  expect(causal.at(160)).toBeCloseTo(160.01, 9);
});

test("time goes on however wrong the map was", () => {
  for (const jump_s of [-1000, -20, 20, 1000]) {
    const causal = new CausalMap("device", 0);
    causal.steer(0, piece(0));
    for (let tick = 100; tick < 200; tick++) {
      const before = causal.at(tick)!;
      causal.steer(tick, piece(jump_s));
      expect(causal.at(tick + 1)!).toBeGreaterThan(before);
    }
  }
});

test("fits that agree make no pieces, and pieces are bounded", () => {
  const causal = new CausalMap("device", 0);
  for (let tick = 0; tick < 1000; tick++) causal.steer(tick, piece(tick % 2 ? 1e-6 : 0));
  expect(causal.map.pieces).toHaveLength(1);
  for (let tick = 1000; tick < 50_000; tick++) causal.steer(tick, piece(tick % 2 ? 1e-3 : 0));
  expect(causal.map.pieces.length).toBeLessThanOrEqual(8192);
});

test("pings so far place events as they come", () => {
  const way = { base_s: 0.05e-3, exponential_s: 0.1e-3, tail: 0.05, tail_s: 1e-3 };
  for (const seed of SEEDS) {
    const random = seeded(seed);
    const clock = oscillator({ offset_s: 3.217, ppm: 37 });
    const causal = new CausalPings("device", 0);
    const burst = (from_s: number, count: number) => {
      for (const ping of exchangePings({ from_s, to_s: from_s, every_s: 1, count }, { forward: way, backward: way }, clock, random))
        causal.push(ping);
    };
    burst(0, 64);
    const given: { tick: number; at_s: number }[] = [];
    for (let t = 5; t < 60; t += 5) {
      for (let k = 1; k < 50; k++) {
        const tick = clock.reading_s(t - 5 + k / 10);
        const at_s = causal.at(tick)!;
        given.push({ tick, at_s });
        const error_s = Math.abs(at_s - clock.true_s(tick));
        // The first second still knows only the first ping, the next ones no rate.
        expect(error_s).toBeLessThan(t > 20 ? 0.1e-3 : t > 5 || k > 10 ? 0.3e-3 : 2e-3);
      }
      burst(t, 16);
    }
    for (const { tick, at_s } of given) expect(toSession(causal.map, tick)).toBe(at_s);
  }
});

test("a step of the device's clock begins a new map; what had a time keeps it", () => {
  const way = { base_s: 0.05e-3, exponential_s: 0.1e-3 };
  const plain = oscillator({ offset_s: 3.217, ppm: 37 });
  for (const size_s of [0.05, -0.05, 2, -30, 3600]) {
    const random = seeded(1);
    const jumped = { ...plain, reading_s: (t: number) => plain.reading_s(t) + (t > 32 ? size_s : 0) };
    const causal = new CausalPings("device", 0);
    const maps = new Set([causal.map]);
    const promised: { map: TimeMap; tick: number; at_s: number }[] = [];
    for (let t = 0; t <= 60; t += 5) {
      for (const ping of exchangePings({ from_s: t, to_s: t, every_s: 1, count: 16 }, { forward: way, backward: way }, jumped, random))
        causal.push(ping);
      maps.add(causal.map);
      const tick = jumped.reading_s(t + 1);
      promised.push({ map: causal.map, tick, at_s: causal.at(tick)! });
      // It takes the second burst after the step to tell it from a false stamp.
      if (t < 30 || t >= 40) expect(Math.abs(promised.at(-1)!.at_s - t - 1)).toBeLessThan(0.5e-3);
    }
    expect([...maps].map(({ epoch }) => epoch)).toEqual([0, 1]);
    for (const { map, tick, at_s } of promised) expect(toSession(map, tick)).toBe(at_s);
  }
});

test("another channel is another clock", () => {
  const causal = new CausalPings("device", 0);
  const ping = { source: "device", sent_s: 1, received_s: 1.001, deviceReceived: 500, deviceSent: 500 };
  causal.push({ ...ping, epoch: 0 });
  expect([causal.channel, causal.map.epoch]).toEqual([0, 0]);
  causal.push({ ...ping, epoch: 1, sent_s: 9, received_s: 9.001, deviceReceived: 2, deviceSent: 2 });
  expect([causal.channel, causal.map.epoch]).toEqual([1, 1]);
  expect(causal.at(2)).toBeCloseTo(9.0005, 9);
});
