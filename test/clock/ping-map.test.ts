import { describe, expect, test } from "vitest";
import { fitPings } from "../../src/clock/ping-map.ts";
import { splitAtSteps } from "../../src/clock/steps.ts";
import type { Ping } from "../../src/model/ping.ts";
import { exchangePings, type PingLink } from "../../src/simulate/link.ts";
import { type ClockError, oscillator } from "../../src/simulate/oscillator.ts";
import { between, type Random, seeded } from "../../src/simulate/random.ts";
import { compare, mean, median, p95, SEEDS } from "./trials.ts";

const HALF_HOUR_S = 1800;
const MS = 1e-3;

/** 64 pings at either end and 16 every so often between, fewer than a session sends over a quick link. */
function session(
  duration_s: number,
  every_s: number,
  link: PingLink,
  [clock, random]: readonly [ReturnType<typeof oscillator>, Random],
): Ping[] {
  const burst = (at_s: number) => ({ from_s: at_s, to_s: at_s, every_s: 1, count: 64 });
  const schedules = [burst(0), { from_s: every_s, to_s: duration_s - every_s / 2, every_s, count: 16 }, burst(duration_s - 0.5)];
  return schedules.flatMap((schedule) => [...exchangePings(schedule, link, clock, random)]);
}

interface Case {
  readonly link: PingLink;
  readonly duration_s?: number;
  readonly every_s?: number;
  readonly clock?: (random: Random) => ClockError;
}

/** A phone's crystal: 20 ppm off, and 3 ppm more while it warms up. */
const phone = (random: Random): ClockError => ({
  offset_s: 3.217,
  ppm: between(random, -20, 20),
  warmup_ppm: between(random, -3, 3),
  warmup_s: between(random, 150, 500),
});

function trials({ link, duration_s = HALF_HOUR_S, every_s = 10, clock: error = phone }: Case) {
  const runs = SEEDS.map((seed) => {
    const random = seeded(seed);
    const clock = oscillator(error(random));
    const fit = fitPings(session(duration_s, every_s, link, [clock, random]), "device", 0);
    if (!fit.map) throw new Error(`seed ${seed}: ${fit.reason}`);
    return { ...compare(fit.map, clock, 1, [0, duration_s]), facts: fit.facts };
  });
  const inBound = mean(runs.map((r) => r.inBound));
  return {
    runs,
    inBound,
    in2u: mean(runs.map((r) => r.in2u)),
    p95_s: p95(runs.map((r) => r.max_s)),
    max_s: Math.max(...runs.map((r) => r.max_s)),
  };
}

const way = (base_ms: number) => ({ base_s: base_ms * MS, exponential_s: 5 * MS, tail: 0.05, tail_s: 30 * MS });
const queued = (base_ms: number, mean_ms: number) => ({ base_s: base_ms * MS, exponential_s: mean_ms * MS, queues: 2 });
const symmetric: PingLink = { forward: way(0.3), backward: way(0.3) };
const pipe = { base_s: 0.05 * MS, exponential_s: 0.1 * MS, tail: 0.05, tail_s: 1 * MS };
const local: PingLink = { forward: pipe, backward: pipe };

describe("half an hour over simulated links", () => {
  test("symmetric, 5 ms jitter, 30 ms tails: p95 of the largest error within 0.10 ms", () => {
    const { p95_s, inBound, runs } = trials({ link: symmetric });
    expect(p95_s).toBeLessThanOrEqual(0.1 * MS);
    expect(inBound).toBeGreaterThanOrEqual(0.99);
    // The claim is narrow, too: half the shortest round trip, 0.3 ms, and at the ends what a tilt may add.
    expect(median(runs.map((r) => r.facts.bound_s))).toBeLessThan(0.5 * MS);
  });

  test("asymmetry of 0.6 ms: within half of it and 0.2 ms", () => {
    const { max_s, inBound, in2u } = trials({ link: { forward: way(0.3), backward: way(0.9) } });
    expect(max_s).toBeLessThanOrEqual(0.5 * MS);
    expect(inBound).toBeGreaterThanOrEqual(0.99);
    expect(in2u).toBeGreaterThanOrEqual(0.95);
  });

  const busy = { forward: queued(1.8, 4), backward: queued(0.6, 4) };
  const idle = { forward: queued(0.3, 2), backward: queued(0.3, 2) };

  test("asymmetry of 1.2 ms while the device is busy, pings in the gaps: within half of it and 0.2 ms", () => {
    const { max_s, inBound } = trials({ link: { ...idle, busy: { during: (t) => t % 40 < 25, ...busy } } });
    expect(max_s).toBeLessThanOrEqual(0.8 * MS);
    expect(inBound).toBeGreaterThanOrEqual(0.99);
  });

  test("asymmetry of 1.2 ms and no gaps: within half of it and 0.6 ms", () => {
    const { max_s, inBound } = trials({ link: busy });
    expect(max_s).toBeLessThanOrEqual(1.2 * MS);
    expect(inBound).toBeGreaterThanOrEqual(0.99);
  });

  test("0.5 % of the stamps corrupt by 5 ms: p95 of the largest error within 1.0 ms", () => {
    for (const link of [symmetric, idle]) {
      const { p95_s, inBound } = trials({ link: { ...link, corrupt: 0.005, corrupt_s: 5 * MS } });
      expect(p95_s).toBeLessThanOrEqual(1.0 * MS);
      expect(inBound).toBeGreaterThanOrEqual(0.99);
    }
  });

  test("37 ppm and 3.217 s are recovered: within 0.5 ppm and 0.3 ms", () => {
    const link = { forward: { base_s: 0.3 * MS, exponential_s: 1 * MS }, backward: { base_s: 0.3 * MS, exponential_s: 1 * MS } };
    const { runs } = trials({ link, clock: () => ({ offset_s: 3.217, ppm: 37 }) });
    for (const { facts } of runs) {
      expect(Math.abs(facts.rate_ppm - 37)).toBeLessThan(0.5);
      expect(Math.abs(facts.offset_s - 3.217)).toBeLessThan(0.3 * MS);
      expect(facts.round_trip_min_s).toBeGreaterThan(0.6 * MS);
      expect(facts.round_trip_median_s).toBeGreaterThan(facts.round_trip_min_s);
    }
  });
});

test.each([10, 20, 45, 60])("%i s over a local pipe: the clock is known to some hundredths of a millisecond", (duration_s) => {
  const { max_s, runs, inBound, in2u } = trials({ link: local, duration_s, every_s: 5, clock: () => ({ offset_s: 3.217, ppm: 37 }) });
  expect(max_s).toBeLessThan(0.03 * MS);
  expect([inBound, in2u]).toEqual([1, 1]);
  for (const { u_s, facts } of runs) {
    expect(u_s).toBeLessThan(0.05 * MS);
    expect(facts.bound_s).toBeLessThan(0.08 * MS);
  }
});

describe("without pings for a while, as a device that is detached", () => {
  const apart = (gap_s: number, warmup_ppm: number, warmup_s: number) =>
    SEEDS.map((seed) => {
      const [clock, random] = [oscillator({ offset_s: 3.217, ppm: 37, warmup_ppm, warmup_s }), seeded(seed)];
      const burst = (at_s: number) => [...exchangePings({ from_s: at_s, to_s: at_s, every_s: 1, count: 64 }, local, clock, random)];
      const fit = fitPings([...burst(0), ...burst(gap_s)], "device", 0);
      if (!fit.map) throw new Error(`seed ${seed}: ${fit.reason}`);
      return { ...compare(fit.map, clock, 1, [0, gap_s]), facts: fit.facts };
    });

  test.each([
    [60, 5, 150],
    [300, 5, 150],
    [900, 5, 150],
    [900, -5, 500],
    [3600, 5, 500],
  ])("of %i s, while it warms up by %i ppm in %i s: within the bound and two uncertainties", (gap_s, ppm, warmup_s) => {
    for (const run of apart(gap_s, ppm, warmup_s)) expect(run).toMatchObject({ inBound: 1, in2u: 1 });
  });

  test("the bound and the uncertainty grow by what it may have wandered", () => {
    const [short] = apart(5, 0, 150);
    for (const gap_s of [300, 900, 3600])
      for (const { u_s, facts } of apart(gap_s, 0, 150)) {
        const half_s = (5e-6 * gap_s) / 4;
        expect(facts.bound_s - half_s).toBeGreaterThanOrEqual(0);
        expect(facts.bound_s - half_s).toBeLessThan(2 * short!.facts.bound_s);
        expect(u_s / (half_s / Math.sqrt(3))).toBeGreaterThanOrEqual(1);
        expect(u_s / (half_s / Math.sqrt(3))).toBeLessThan(1.1);
      }
  });
});

test("two bursts are enough for a rate, and neither is taken for false", () => {
  for (const seed of SEEDS) {
    const clock = oscillator({ offset_s: 3.217, ppm: 37 });
    const random = seeded(seed);
    const burst = (at_s: number, count: number) => [
      ...exchangePings({ from_s: at_s, to_s: at_s, every_s: 1, count }, local, clock, random),
    ];
    const fit = fitPings([...burst(0, 64), ...burst(5, 16)], "device", 0);
    expect(fit.facts.pings_dropped).toBe(0);
    expect(compare(fit.map!, clock, 1, [0, 5])).toMatchObject({ inBound: 1, in2u: 1 });
  }
});

test("device time may count from 1970", () => {
  const { max_s } = trials({ link: local, duration_s: 60, every_s: 5, clock: () => ({ offset_s: 1.75e9, ppm: 37 }) });
  expect(max_s).toBeLessThan(0.03 * MS);
});

describe("pings that cannot be fitted", () => {
  const pings = (count: number): Ping[] => {
    const [clock, random] = [oscillator({ offset_s: 5 }), seeded(1)];
    return [...exchangePings({ from_s: 0, to_s: 0, every_s: 1, count }, local, clock, random)];
  };
  const reason = (given: readonly Ping[]) => {
    const fit = fitPings(given, "device", 0);
    return fit.map ? "none" : fit.reason;
  };

  test("are too few", () => {
    expect(reason([])).toBe("0 usable pings of 0; at least 8 are needed");
    expect(reason(pings(7))).toBe("7 usable pings of 7; at least 8 are needed");
    expect(reason(pings(8))).toBe("none");
  });

  test("have stamps that no clock can give", () => {
    const broken = pings(20).map((p, k) => (k % 2 ? { ...p, deviceSent: Number.NaN } : { ...p, received_s: p.sent_s - 1 }));
    expect(reason(broken)).toBe("0 usable pings of 20; at least 8 are needed");
  });

  test("contradict each other", () => {
    const random = seeded(1);
    const garbage = Array.from({ length: 64 }, (_, k) => {
      const device = k + between(random, -3, 3);
      return { source: "device", epoch: 0, sent_s: k, received_s: k + MS, deviceReceived: device, deviceSent: device };
    });
    expect(reason(garbage)).not.toBe("none");
  });

  test("span too little time for a rate: nominal, with an uncertainty that says so for as long again", () => {
    const clock = oscillator({ offset_s: 5, ppm: 90 });
    const fit = fitPings([...exchangePings({ from_s: 0, to_s: 0, every_s: 1, count: 64 }, local, clock, seeded(1))], "device", 0);
    expect(fit.facts.rate_ppm).toBe(0);
    expect(compare(fit.map!, clock, 1, [0, 2])).toMatchObject({ inBound: 1, in2u: 1 });
  });
});

describe("a clock that steps", () => {
  const stepped = (size_s: number, seed: number): Ping[] => {
    const random = seeded(seed);
    const plain = session(120, 5, { ...local, corrupt: 0.005, corrupt_s: 5 * MS }, [oscillator({ offset_s: 9, ppm: 37 }), random]);
    const shift = (p: Ping) => (p.sent_s > 62 ? size_s : 0);
    return plain.map((p) => ({ ...p, deviceReceived: p.deviceReceived + shift(p), deviceSent: p.deviceSent + shift(p) }));
  };

  test.each([0.02, -0.02, 2, -2, 3600])("by %f s is not fitted as one, and its parts are", (size_s) => {
    for (const seed of SEEDS) {
      const pings = stepped(size_s, seed);
      const fit = fitPings(pings, "device", 0);
      expect(fit.map).toBeUndefined();
      expect(fit.facts.clock_steps).toBe(1);
      const { segments, steps } = splitAtSteps(pings);
      expect(steps).toHaveLength(1);
      expect(Math.abs(steps[0]!.size_s - size_s)).toBeLessThan(3 * MS);
      expect(steps[0]!.from_s).toBeLessThan(62);
      expect(steps[0]!.from_s).toBeGreaterThan(60);
      expect(steps[0]!.to_s).toBeGreaterThan(65);
      expect(steps[0]!.to_s).toBeLessThan(65.01);
      expect(segments.flat()).toEqual(pings);
      for (const segment of segments) expect(fitPings(segment, "device", 0).map).toBeDefined();
    }
  });

  test.each([0.1, -0.3, 1, -3, 5])("by %f ms, too little to be seen, is inside the bound or is not fitted at all", (size_ms) => {
    for (const seed of SEEDS) {
      const fit = fitPings(stepped(size_ms * MS, seed), "device", 0);
      if (!fit.map) continue;
      const clock = oscillator({ offset_s: 9, ppm: 37 });
      const jumped: typeof clock = { ...clock, reading_s: (t) => clock.reading_s(t) + (t > 62.5 ? size_ms * MS : 0) };
      expect(compare(fit.map, jumped, 1, [0, 120]).inBound).toBeGreaterThan(0.9);
    }
  });

  test("is not seen where only stamps are corrupt", () => {
    for (const seed of SEEDS) expect(splitAtSteps(stepped(0, seed)).steps).toEqual([]);
  });
});
