import { describe, expect, test } from "vitest";
import { fitDevice } from "../../src/clock/device-clock.ts";
import { cutAtStep } from "../../src/clock/step-events.ts";
import { type SessionSeconds, type TimeMap, toSession } from "../../src/model/clock.ts";
import type { Ping } from "../../src/model/ping.ts";
import { drawDelay, exchangePings } from "../../src/simulate/link.ts";
import { type Oscillator, oscillator } from "../../src/simulate/oscillator.ts";
import { between, seeded } from "../../src/simulate/random.ts";

const MS = 1e-3;
const SEEDS = Array.from({ length: 50 }, (_, k) => k + 1);
const way = { base_s: 0.05 * MS, exponential_s: 0.1 * MS, tail: 0.05, tail_s: 1 * MS };

/** A clock that jumps by `size_s` at a true time, read in one direction only. */
function jumping(size_s: number, at_s: number): Oscillator {
  const plain = oscillator({ offset_s: 9, ppm: 37 });
  return { ...plain, reading_s: (t) => plain.reading_s(t) + (t >= at_s ? size_s : 0) };
}

/** Two minutes with a burst every 5 s and an event every 50 ms; the clock jumps somewhere between two bursts. */
function session(size_s: number, seed: number) {
  const random = seeded(seed);
  const step_s = between(random, 61, 64);
  const clock = jumping(size_s, step_s);
  const pings: Ping[] = [...exchangePings({ from_s: 0, to_s: 120, every_s: 5, count: 16 }, { forward: way, backward: way }, clock, random)];
  const events = Array.from({ length: 2400 }, (_, k) => {
    const true_s = (k + random()) / 20;
    return { true_s, tick: clock.reading_s(true_s), heard_s: true_s + drawDelay(way, random) };
  });
  return { step_s, pings, events };
}

describe("events around a step", () => {
  test.each([20 * MS, -20 * MS, 2, -2, -60, 3600])("of %f s get the clock that stamped them, and say closely when it was", (size_s) => {
    for (const seed of SEEDS) {
      const { step_s, pings, events } = session(size_s, seed);
      const { segments, steps, epochs } = fitDevice(pings, events, { source: "device", epoch: 0 });
      const maps = segments.map(({ map }) => map!);
      const errors = events.map(({ true_s, tick }, k) => Math.abs(toSession(maps[epochs[k]!]!, tick) - true_s));
      expect(Math.max(...errors)).toBeLessThan(0.1 * MS);
      const { from_s, to_s } = steps[0]!;
      expect(from_s).toBeLessThan(step_s + 0.1 * MS);
      expect(to_s).toBeGreaterThan(step_s - 0.1 * MS);
      // Small jumps back leave the events before the burst in doubt; large ones are pinned between two events.
      if (Math.abs(size_s) >= 2) expect(to_s - from_s).toBeLessThan(0.15);
    }
  });

  test("that cannot be placed on the new clock stay on the old one as long as it can have stamped them", () => {
    const map = (t0_s: number): TimeMap => ({
      source: "device",
      epoch: 0,
      pieces: [{ fromTick: 0, t0_s: t0_s as SessionSeconds, rate_hz: 1, u_s: 0, bound_s: MS }],
    });
    const heard = [10, 11, 12, 13].map((heard_s) => ({ tick: heard_s - 0.001, heard_s }));
    const step = { from_s: 10.5, to_s: 12.5, size_s: 5 };
    expect(cutAtStep(heard, step, { before: map(0), after: undefined }).first).toBe(3);
    expect(cutAtStep(heard, step, { before: undefined, after: map(0) }).first).toBe(1);
    expect(cutAtStep(heard, step, { before: undefined, after: undefined })).toMatchObject({ first: 3, from_s: 10.5, to_s: 12.5 });
    expect(cutAtStep([], step, { before: map(0), after: map(-5) })).toEqual({ ...step, first: 0 });
  });
});
