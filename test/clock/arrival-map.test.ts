import { describe, expect, test } from "vitest";
import { ArrivalEnvelope, fitArrivals } from "../../src/clock/arrival-map.ts";
import { CausalArrivals } from "../../src/clock/causal.ts";
import { toSession } from "../../src/model/clock.ts";
import type { ClockSpec } from "../../src/model/instrument.ts";
import { type Delay, drawDelay } from "../../src/simulate/link.ts";
import { type ClockError, type Oscillator, oscillator } from "../../src/simulate/oscillator.ts";
import { type Random, seeded } from "../../src/simulate/random.ts";
import { compare, mean, p95, SEEDS } from "./trials.ts";

const MS = 1e-3;

interface Stream {
  readonly duration_s: number;
  readonly every_s: number;
  readonly delay: Delay;
  readonly stall?: number;
  readonly spec: ClockSpec;
  readonly clock: ClockError;
}

/** (tick, host time, true time) of transfers in order; one in `1 / stall` is held up for 60 ms, and all behind it. */
function* arrivals({ duration_s, every_s, delay, stall = 0, spec }: Stream, clock: Oscillator, random: Random) {
  let host_s = 0;
  for (let k = 1; k * every_s <= duration_s; k++) {
    const true_s = k * every_s;
    host_s = Math.max(host_s, true_s + drawDelay(delay, random) + (random() < stall ? 60 * MS : 0));
    yield { tick: clock.reading_s(true_s) * spec.nominal_hz, host_s, true_s };
  }
}

function trials(stream: Stream) {
  const runs = SEEDS.map((seed) => {
    const clock = oscillator(stream.clock);
    const envelope = new ArrivalEnvelope(stream.spec.nominal_hz);
    for (const { tick, host_s } of arrivals(stream, clock, seeded(seed))) envelope.push(tick, host_s);
    const fit = fitArrivals(envelope, stream.spec, "meter", 0);
    return { ...compare(fit.map!, clock, stream.spec.nominal_hz, [0, stream.duration_s]), facts: fit.facts };
  });
  const max_s = runs.map((r) => r.max_s);
  return { runs, max_s: Math.max(...max_s), p95_s: p95(max_s), in2u: mean(runs.map((r) => r.in2u)), u_s: p95(runs.map((r) => r.u_s)) };
}

const crystal = (nominal_hz: number): ClockSpec => ({ nominal_hz, limit_ppm: 500, latency_s: 0, u_latency_s: 0 });
const resonator: ClockSpec = { nominal_hz: 1e6, limit_ppm: 10_000, latency_s: 0.5 * MS, u_latency_s: 0.1 * MS };

/** A monitor at 5 kHz over USB, 96 samples at a time, read by a busy host. */
const usb: Stream = {
  ...{ duration_s: 600, every_s: 0.0192, delay: { base_s: 0, exponential_s: 1 * MS }, stall: 0.002, spec: crystal(5000) },
  clock: { ppm: 100, warmup_ppm: 2, warmup_s: 300 },
};
const serial: Stream = { ...usb, every_s: 0.016, delay: { base_s: 0, exponential_s: 5 * MS, queues: 2 }, spec: crystal(1000) };
/** The bridge: a frame every 16 ms, its microsecond counter 3000 ppm off. */
const bridge: Stream = {
  ...{ duration_s: 45, every_s: 0.016, delay: { base_s: 0.5 * MS, exponential_s: 0.3 * MS }, stall: 0.002, spec: resonator },
  clock: { offset_s: 7, ppm: 3000 },
};

test("100 ppm, 1 ms jitter, 60 ms stalls: within 0.05 ms", () => {
  const { max_s, in2u, u_s } = trials(usb);
  expect(max_s).toBeLessThanOrEqual(0.05 * MS);
  expect(in2u).toBeGreaterThanOrEqual(0.95);
  expect(u_s).toBeLessThan(0.05 * MS);
});

test("serial with 5 ms jitter: within 1.0 ms", () => {
  const { max_s, in2u, u_s } = trials(serial);
  expect(max_s).toBeLessThanOrEqual(1 * MS);
  expect(in2u).toBeGreaterThanOrEqual(0.9);
  expect(u_s).toBeLessThan(1 * MS);
});

test.each([10, 45, 60, 75, 100])("a resonator 3000 ppm off over %i s: time within 0.02 ms, rate within 3 ppm", (duration_s) => {
  const { max_s, runs, in2u, u_s } = trials({ ...bridge, duration_s });
  expect(max_s).toBeLessThan(0.02 * MS);
  expect(in2u).toBeGreaterThanOrEqual(0.99);
  expect(u_s).toBeLessThan(0.11 * MS);
  for (const { facts } of runs) {
    expect(Math.abs(facts.rate_ppm - 3000)).toBeLessThan(3);
    expect(facts.windows_beyond_limit).toBe(0);
    expect(facts.lateness_mean_s).toBeGreaterThan(0.2 * MS);
  }
});

test("a gap of two minutes within one epoch is bridged", () => {
  const clock = oscillator({ ppm: 3000 });
  const envelope = new ArrivalEnvelope(1e6);
  const stream = { ...bridge, duration_s: 300 };
  for (const { tick, host_s, true_s } of arrivals(stream, clock, seeded(1))) if (true_s < 70 || true_s > 190) envelope.push(tick, host_s);
  const fit = fitArrivals(envelope, resonator, "meter", 0);
  expect(compare(fit.map!, clock, 1e6, [0, 300]).max_s).toBeLessThan(0.05 * MS);
});

describe("what cannot be right", () => {
  const fitted = (stream: Stream) => {
    const envelope = new ArrivalEnvelope(stream.spec.nominal_hz);
    for (const { tick, host_s } of arrivals(stream, oscillator(stream.clock), seeded(1))) envelope.push(tick, host_s);
    return fitArrivals(envelope, stream.spec, "meter", 0);
  };

  test("a rate beyond the limit is reported, and the uncertainty covers what the limit does to the map", () => {
    const stream = { ...bridge, spec: { ...resonator, limit_ppm: 500 } };
    const fit = fitted(stream);
    expect(fit.facts.windows_beyond_limit).toBe(1);
    expect(fit.facts.rate_ppm).toBeCloseTo(500, 3);
    expect(compare(fit.map!, oscillator(stream.clock), 1e6, [0, 45]).in2u).toBeGreaterThan(0.9);
  });

  test("too few arrivals give a reason", () => {
    expect(fitted({ ...bridge, duration_s: 0.04 })).toMatchObject({
      map: undefined,
      reason: "2 arrivals; at least 3 within a minute are needed",
    });
    expect(fitted({ ...bridge, duration_s: 0.01 }).map).toBeUndefined();
  });

  test("ticks that run back are counted and left out", () => {
    const envelope = new ArrivalEnvelope(1e6);
    for (let k = 0; k < 100; k++) envelope.push(k * 16_000, k * 0.016);
    envelope.push(0, 1.6);
    envelope.push(5, 1.61);
    const { facts, map } = fitArrivals(envelope, resonator, "meter", 0);
    expect(facts).toMatchObject({ arrivals: 100, ticks_back: 2 });
    expect(toSession(map!, 16_000)).toBeCloseTo(0.016 - 0.5 * MS, 9);
  });
});

test("a day of frames fits in 10 MB and is fitted in a moment", () => {
  const envelope = new ArrivalEnvelope(1e6);
  const random = seeded(1);
  for (let t = 0; t < 86_400; t += 0.16) envelope.push(t * 1e6, t + drawDelay(bridge.delay, random));
  const points = envelope.bins().reduce((total, bin) => total + bin.points.length, 0);
  expect(points * 8).toBeLessThan(2e6);
  expect(fitArrivals(envelope, resonator, "meter", 0).map!.pieces.length).toBeLessThan(3000);
});

describe("live", () => {
  const live = (stream: Stream, seed: number) => {
    const clock = oscillator(stream.clock);
    const causal = new CausalArrivals(stream.spec, "meter", 0);
    const given = [...arrivals(stream, clock, seeded(seed))].map(({ tick, host_s, true_s }) => {
      causal.push(tick, host_s);
      return { tick, true_s, session_s: toSession(causal.map, tick) };
    });
    return { causal, given };
  };

  test.each([
    ["usb", usb, 60, 0.05 * MS],
    ["serial", serial, 60, 1 * MS],
    ["bridge", bridge, 5, 0.05 * MS],
    ["bridge at once", bridge, 1, 2 * MS],
  ])("%s: close to the truth before the end is known", (_, stream, after_s, limit_s) => {
    for (const seed of SEEDS.slice(0, 20)) {
      const errors = live(stream, seed)
        .given.filter((g) => g.true_s > after_s)
        .map((g) => Math.abs(g.session_s - g.true_s));
      expect(errors.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(limit_s);
    }
  });

  test("a tick that has been given a time keeps it, and time never runs back", () => {
    const { causal, given } = live(serial, 1);
    for (const { tick, session_s } of given) expect(toSession(causal.map, tick)).toBe(session_s);
    for (let k = 1; k < given.length; k++) expect(given[k]!.session_s).toBeGreaterThan(given[k - 1]!.session_s);
    const { pieces } = causal.map;
    for (let k = 1; k < pieces.length; k++) {
      const before = pieces[k - 1]!;
      expect(before.t0_s + (pieces[k]!.fromTick - before.fromTick) / before.rate_hz).toBeCloseTo(pieces[k]!.t0_s, 9);
    }
  });

  test("a steady clock needs few pieces", () => {
    expect(live({ ...bridge, duration_s: 600 }, 1).causal.map.pieces.length).toBeLessThan(60);
  });
});
