import { type DeviceClock, fitDevice } from "../src/clock/device-clock.ts";
import { pieceAt, toSession } from "../src/model/clock.ts";
import type { Ping } from "../src/model/ping.ts";
import { type Delay, exchangePings, type PingLink } from "../src/simulate/link.ts";
import { type ClockError, type Oscillator, oscillator } from "../src/simulate/oscillator.ts";
import { between, type Random, seeded } from "../src/simulate/random.ts";

const MS = 1e-3;
const HALF_HOUR_S = 1800;
const EVERY_S = 10;
const INSTANTS = 1000;

/** What a final clock was worth, over the instants of one session. */
export interface Worth {
  readonly max_s: number;
  /** Shares of the instants within the bound, and within two standard uncertainties. */
  readonly inBound: number;
  readonly in2u: number;
  readonly u_s: number;
  readonly disagreement_s: number;
  readonly rate_off_ppm: number;
  readonly offset_off_s: number;
  readonly steps: number;
}

const way = (base_ms: number): Delay => ({ base_s: base_ms * MS, exponential_s: 5 * MS, tail: 0.05, tail_s: 30 * MS });
const queued = (base_ms: number, mean_ms: number): Delay => ({ base_s: base_ms * MS, exponential_s: mean_ms * MS, queues: 2 });

const symmetric: PingLink = { forward: way(0.3), backward: way(0.3) };
const idle: PingLink = { forward: queued(0.3, 2), backward: queued(0.3, 2) };
const busy: PingLink = { forward: queued(1.8, 4), backward: queued(0.6, 4) };
const quick: Delay = { base_s: 0.3 * MS, exponential_s: 1 * MS };

/** Links of science.md 1.7. */
export const LINKS = {
  symmetric,
  asymmetric: { forward: way(0.3), backward: way(0.9) },
  gaps: { ...idle, busy: { during: (true_s) => true_s % 40 < 25, forward: busy.forward, backward: busy.backward } },
  busy,
  corrupt: { ...symmetric, corrupt: 0.005, corrupt_s: 5 * MS },
  corruptGaps: { ...idle, corrupt: 0.005, corrupt_s: 5 * MS },
  quick: { forward: quick, backward: quick },
} as const satisfies Readonly<Record<string, PingLink>>;

/** A phone's crystal: up to 20 ppm off, and up to 3 ppm more while it warms up. */
export const phone = (random: Random): ClockError => ({
  offset_s: 3.217,
  ppm: between(random, -20, 20),
  warmup_ppm: between(random, -3, 3),
  warmup_s: between(random, 150, 500),
});

/** Half an hour of pings over a link, and what the clock fitted to them is worth; it jumps by `step_s` in the middle. */
export function deviceTrial(seed: number, link: PingLink, error: (random: Random) => ClockError = phone, step_s = 0): Worth {
  const random = seeded(seed);
  const known = error(random);
  const plain = oscillator(known);
  const jumps_s = HALF_HOUR_S / 2 + between(random, 1, 9);
  const clock: Oscillator = { ...plain, reading_s: (t) => plain.reading_s(t) + (t >= jumps_s ? step_s : 0) };
  const fitted = fitDevice(pings(link, clock, random), [], { source: "device", epoch: 0 });
  return worthOf(fitted, clock, { known, jumps_s: step_s === 0 ? Number.POSITIVE_INFINITY : jumps_s });
}

/** 64 pings at either end and 16 every ten seconds between, fewer than a session sends over a quick link. */
function pings(link: PingLink, clock: Oscillator, random: Random): Ping[] {
  const outer = (at_s: number) => ({ from_s: at_s, to_s: at_s, every_s: 1, count: 64 });
  const inner = { from_s: EVERY_S, to_s: HALF_HOUR_S - EVERY_S / 2, every_s: EVERY_S, count: 16 };
  return [outer(0), inner, outer(HALF_HOUR_S - 0.5)].flatMap((schedule) => [...exchangePings(schedule, link, clock, random)]);
}

function worthOf({ segments, steps }: DeviceClock, clock: Oscillator, { known, jumps_s }: { known: ClockError; jumps_s: number }): Worth {
  const [max, counts] = [{ s: 0 }, { inBound: 0, in2u: 0 }];
  for (let k = 0; k < INSTANTS; k++) {
    const true_s = (HALF_HOUR_S * k) / (INSTANTS - 1);
    const map = segments[true_s < jumps_s ? 0 : segments.length - 1]?.map;
    if (!map) continue;
    const tick = clock.reading_s(true_s);
    const off_s = Math.abs(toSession(map, tick) - true_s);
    const { bound_s, u_s } = pieceAt(map, tick);
    max.s = Math.max(max.s, off_s);
    if (off_s <= bound_s) counts.inBound++;
    if (off_s <= 2 * u_s) counts.in2u++;
  }
  const { rate_ppm, offset_s } = segments[0]!.facts;
  return {
    max_s: segments.every(({ map }) => map) ? max.s : Number.POSITIVE_INFINITY,
    inBound: counts.inBound / INSTANTS,
    in2u: counts.in2u / INSTANTS,
    u_s: Math.max(...segments.flatMap(({ map }) => map?.pieces.map((piece) => piece.u_s) ?? [])),
    disagreement_s: Math.max(...segments.map(({ facts }) => facts.cross_check_s)),
    rate_off_ppm: Math.abs(rate_ppm - (known.ppm ?? 0)),
    offset_off_s: Math.abs(offset_s - (known.offset_s ?? 0)),
    steps: steps.length,
  };
}
