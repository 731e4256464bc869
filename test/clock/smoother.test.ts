import { describe, expect, test } from "vitest";
import { crossChecked, fitDevice } from "../../src/clock/device-clock.ts";
import { fitPings } from "../../src/clock/ping-map.ts";
import { smoothPings } from "../../src/clock/smoother.ts";
import type { Ping } from "../../src/model/ping.ts";
import { exchangePings, type PingLink } from "../../src/simulate/link.ts";
import { type Oscillator, oscillator } from "../../src/simulate/oscillator.ts";
import { between, seeded } from "../../src/simulate/random.ts";
import { compare, mean, p95 } from "./trials.ts";

const MS = 1e-3;
const DURATION_S = 600;
const SEEDS = Array.from({ length: 50 }, (_, k) => k + 1);

const way = { base_s: 0.3 * MS, exponential_s: 5 * MS, tail: 0.05, tail_s: 30 * MS };
const symmetric: PingLink = { forward: way, backward: way };
const corrupt: PingLink = { ...symmetric, corrupt: 0.005, corrupt_s: 5 * MS };

function session(seed: number, link: PingLink): { clock: Oscillator; pings: Ping[] } {
  const random = seeded(seed);
  const error = { ppm: between(random, -20, 20), warmup_ppm: between(random, -3, 3), warmup_s: between(random, 150, 500) };
  const clock = oscillator({ offset_s: 3.217, ...error });
  const burst = (from_s: number, count: number, to_s = from_s) => [
    ...exchangePings({ from_s, to_s, every_s: 10, count }, link, clock, random),
  ];
  return { clock, pings: [...burst(0, 64), ...burst(10, 16, DURATION_S - 5), ...burst(DURATION_S, 64)] };
}

const frameOf = ([first]: readonly Ping[]) => ({ tick0: first!.deviceReceived, t0_s: first!.sent_s, nominal_hz: 1 });

test.each([
  ["symmetric", symmetric],
  ["0.5 % of the stamps corrupt by 5 ms", corrupt],
])("%s: the smoother alone is within 0.35 ms, and its own uncertainty holds", (_, link) => {
  const runs = SEEDS.map((seed) => {
    const { clock, pings } = session(seed, link);
    const frame = frameOf(pings);
    const states = smoothPings(pings, frame);
    const errors = states.map(({ x, y, u_s }) => ({ off_s: Math.abs(frame.t0_s + x + y - clock.true_s(frame.tick0 + x)), u_s }));
    return {
      max_s: Math.max(...errors.map(({ off_s }) => off_s)),
      in2u: mean(errors.map(({ off_s, u_s }) => Number(off_s <= 2 * u_s))),
    };
  });
  expect(p95(runs.map((run) => run.max_s))).toBeLessThanOrEqual(0.35 * MS);
  expect(mean(runs.map((run) => run.in2u))).toBeGreaterThanOrEqual(0.85);
});

test("a stamp that is 5 ms wrong on a quick link, where every ping weighs much, moves nothing", () => {
  const quick = { base_s: 0.05 * MS, exponential_s: 0.1 * MS };
  for (const seed of SEEDS) {
    const { clock, pings } = session(seed, { forward: quick, backward: quick, corrupt: 0.02, corrupt_s: 5 * MS });
    const frame = frameOf(pings);
    const errors = smoothPings(pings, frame).map(({ x, y }) => Math.abs(frame.t0_s + x + y - clock.true_s(frame.tick0 + x)));
    expect(Math.max(...errors)).toBeLessThan(0.05 * MS);
  }
});

test("a rate is found, and the order of the pings does not matter", () => {
  const { pings } = session(1, symmetric);
  const states = smoothPings(pings, frameOf(pings));
  expect(states).toHaveLength(pings.length);
  expect(smoothPings(pings.toReversed(), frameOf(pings))).toEqual(states);
  const fit = fitPings(pings, "device", 0);
  expect(-mean(states.map(({ slope }) => slope)) * 1e6).toBeCloseTo(fit.facts.rate_ppm, 0);
  expect(smoothPings([], frameOf(pings))).toEqual([]);
});

describe("two estimators of one clock", () => {
  test("agree to 0.5 ms where neither is wrong, and half of what is between them is uncertainty", () => {
    for (const seed of SEEDS) {
      const { clock, pings } = session(seed, symmetric);
      const plain = fitPings(pings, "device", 0);
      const checked = crossChecked(plain, pings);
      const { cross_check_s, cross_check_at_s } = checked.facts;
      expect(cross_check_s).toBeGreaterThan(0.01 * MS);
      expect(cross_check_s).toBeLessThan(0.5 * MS);
      expect(cross_check_at_s).toBeGreaterThanOrEqual(0);
      expect(cross_check_at_s).toBeLessThanOrEqual(DURATION_S + 2);
      const [u_plain, u_checked] = [plain, checked].map((fit) => Math.max(...fit.map!.pieces.map(({ u_s }) => u_s)));
      expect(u_checked!).toBeGreaterThan(u_plain!);
      expect(u_checked!).toBeLessThanOrEqual(Math.sqrt(u_plain! ** 2 + (0.02 * MS + cross_check_s / 2) ** 2));
      expect(compare(checked.map!, clock, 1, [0, DURATION_S]).inBound).toBeGreaterThan(0.98);
    }
  });

  test("disagree about a map that is not the clock's", () => {
    const { pings } = session(1, symmetric);
    const fit = fitPings(pings, "device", 0);
    const pieces = fit.map!.pieces.map((piece, k) => (k === 1 ? { ...piece, rate_hz: piece.rate_hz * (1 + 15e-6) } : piece));
    const bent = { ...fit.map!, pieces };
    const checked = crossChecked({ map: bent, facts: fit.facts }, pings);
    expect(checked.facts.cross_check_s).toBeGreaterThan(0.5 * MS);
    expect(checked.map!.pieces[1]!.u_s).toBeGreaterThan(checked.facts.cross_check_s / 2);
  });

  test("have nothing to say where there is no map", () => {
    const { segments, epochs } = fitDevice([], [{ tick: 1, heard_s: 1 }], { source: "device", epoch: 4 });
    expect(segments).toMatchObject([{ map: undefined, facts: { cross_check_s: 0 } }]);
    expect(epochs).toEqual([4]);
  });
});
