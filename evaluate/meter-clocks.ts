import { ArrivalEnvelope, fitArrivals } from "../src/clock/arrival-map.ts";
import { CausalArrivals } from "../src/clock/causal.ts";
import { Continuity } from "../src/clock/continuity.ts";
import { toSession } from "../src/model/clock.ts";
import type { ClockSpec } from "../src/model/instrument.ts";
import { type Delay, drawDelay } from "../src/simulate/link.ts";
import { type ClockError, oscillator } from "../src/simulate/oscillator.ts";
import { seeded } from "../src/simulate/random.ts";

const MS = 1e-3;
const DURATION_S = 600;
/** Live maps are judged from here on. */
const SETTLED_S = 60;
const STALL = 0.002;
const STALL_S = 60 * MS;

/** A monitor whose data come `every_s`, of which one arrival in 500 is held up, with all behind it, for 60 ms. */
export interface Stream {
  readonly every_s: number;
  readonly delay: Delay;
  readonly spec: ClockSpec;
  readonly clock: ClockError;
}

const crystal = (nominal_hz: number): ClockSpec => ({ nominal_hz, limit_ppm: 500, latency_s: 0, u_latency_s: 0 });
const warming: ClockError = { ppm: 100, warmup_ppm: 2, warmup_s: 300 };

/** Streams of science.md 1.7, and the bridge with its resonator. */
export const STREAMS = {
  usb: { every_s: 0.0192, delay: { base_s: 0, exponential_s: 1 * MS }, spec: crystal(5000), clock: warming },
  serial: { every_s: 0.016, delay: { base_s: 0, exponential_s: 5 * MS, queues: 2 }, spec: crystal(1000), clock: warming },
  bridge: {
    every_s: 0.016,
    delay: { base_s: 0.5 * MS, exponential_s: 0.3 * MS },
    spec: { nominal_hz: 1e6, limit_ppm: 10_000, latency_s: 0.5 * MS, u_latency_s: 0.1 * MS },
    clock: { offset_s: 7, ppm: 3000 },
  },
} as const satisfies Readonly<Record<string, Stream>>;

export interface StreamWorth {
  /** Largest error of the final map, and of the live one after a minute. */
  readonly max_s: number;
  readonly live_s: number;
  readonly rate_off_ppm: number;
  /** Breaks found; the count jumps by what was asked in the middle. */
  readonly breaks: number;
}

/** Ten minutes of a stream whose count runs ahead by `jump_s` in the middle; without a jump its maps are judged. */
export function meterTrial(seed: number, { every_s, delay, spec, clock: error }: Stream, jump_s = 0): StreamWorth {
  const random = seeded(seed);
  const clock = oscillator(error);
  const envelope = new ArrivalEnvelope(spec.nominal_hz);
  const live = new CausalArrivals(spec, "meter", 0);
  const continuity = new Continuity(spec);
  const ticks: { tick: number; true_s: number }[] = [];
  let [host_s, live_s, breaks] = [0, 0, 0];
  for (let true_s = every_s; true_s <= DURATION_S; true_s += every_s) {
    host_s = Math.max(host_s, true_s + drawDelay(delay, random) + (random() < STALL ? STALL_S : 0));
    const tick = (clock.reading_s(true_s) + (true_s > DURATION_S / 2 ? jump_s : 0)) * spec.nominal_hz;
    if (continuity.push([tick - every_s * spec.nominal_hz, tick], host_s)) breaks++;
    envelope.push(tick, host_s);
    live.push(tick, host_s);
    ticks.push({ tick, true_s });
    if (true_s > SETTLED_S) live_s = Math.max(live_s, Math.abs(toSession(live.map, tick) - true_s));
  }
  const { map, facts } = fitArrivals(envelope, spec, "meter", 0);
  const max_s = ticks.reduce((max, { tick, true_s }) => Math.max(max, Math.abs(toSession(map!, tick) - true_s)), 0);
  return { max_s, live_s, rate_off_ppm: Math.abs(facts.rate_ppm - (error.ppm ?? 0)), breaks };
}
