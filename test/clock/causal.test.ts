import { expect, test } from "vitest";
import { CausalMap, CausalPings } from "../../src/clock/causal.ts";
import { type ClockPiece, pieceAt, type SessionSeconds, toSession } from "../../src/model/clock.ts";
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
