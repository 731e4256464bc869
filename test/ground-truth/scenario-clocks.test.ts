import { expect, test } from "vitest";
import { ArrivalEnvelope, fitArrivals } from "../../src/clock/arrival-map.ts";
import { fitDevice } from "../../src/clock/device-clock.ts";
import { type Block, endTick } from "../../src/model/block.ts";
import { toSession } from "../../src/model/clock.ts";
import type { PowerRecording } from "../../src/model/recording.ts";
import { idealBlocks } from "../../src/simulate/ideal.ts";
import { type Delay, drawDelay, exchangePings, sendBlocks } from "../../src/simulate/link.ts";
import { oscillator } from "../../src/simulate/oscillator.ts";
import { seeded } from "../../src/simulate/random.ts";
import { scenario } from "../scenarios/render.ts";
import { idealBench } from "./ideal-recording.ts";
import { type Measured, measured } from "./measured.ts";

const MS = 1e-3;
const RATE_HZ = 5000;
const SEEDS = Array.from({ length: 50 }, (_, k) => k + 1);

/** S8 as scenarios.json writes it: two wrong clocks, a link with jitter and tails, a host that stalls. */
const S8 = scenario("S8") as unknown as {
  readonly device_clock: Readonly<Record<"offset_s" | "drift_ppm" | "nonlinear_ppm" | "tau_s", number>>;
  readonly link: Readonly<Record<"base_fwd_ms" | "base_bwd_ms" | "exp_ms" | "tail_p" | "tail_ms" | "burst" | "every_s", number>>;
  readonly monitor: Readonly<Record<"ppm" | "batch" | "base_ms" | "exp_ms" | "stall_p" | "stall_ms", number>>;
  readonly tol: { readonly offset_abs_s: number };
};
const { device_clock, link, monitor, tol } = S8;
/** A session of S2's length, pings before it and after it included. */
const bench = idealBench("S2");
const OUTER_PINGS = 64;
const PING_LOSS = 0.02;

const device = oscillator({
  offset_s: device_clock.offset_s,
  ppm: device_clock.drift_ppm,
  warmup_ppm: device_clock.nonlinear_ppm,
  warmup_s: device_clock.tau_s,
});
const meter = oscillator({ ppm: monitor.ppm });
const way = (base_ms: number): Delay => ({
  base_s: base_ms * MS,
  exponential_s: link.exp_ms * MS,
  tail: link.tail_p,
  tail_s: link.tail_ms * MS,
});

interface Session extends Measured {
  /** Largest error of any event's and of any block's session time. */
  readonly event_s: number;
  readonly block_s: number;
  readonly rate_ppm: { readonly meter: number; readonly device: number };
}

function session(seed: number): Session {
  const random = seeded(seed);
  const { plant, told, end_s } = bench;
  const { source, channel } = told.measurand;
  const ways = { forward: way(link.base_fwd_ms), backward: way(link.base_bwd_ms), loss: PING_LOSS };
  const pings = [
    { from_s: 0, to_s: 0, every_s: 1, count: OUTER_PINGS },
    { from_s: link.every_s, to_s: end_s - 1, every_s: link.every_s, count: link.burst },
    { from_s: end_s, to_s: end_s, every_s: 1, count: OUTER_PINGS },
  ].flatMap((schedule) => [...exchangePings(schedule, ways, device, random)]);
  const heard = told.events.map((event) => ({
    event: { ...event, source: "device", tick: device.reading_s(event.tick) },
    heard_s: event.tick + drawDelay(ways.backward, random),
  }));
  const ticks = heard.map(({ event, heard_s }) => ({ tick: event.tick, heard_s }));
  const deviceClock = fitDevice(pings, ticks, { source: "device", epoch: 0 });
  const sent = idealBlocks(plant, { source, channel, rate_hz: RATE_HZ, sampler: "integrating", clock: meter, blockLength: 96 }, 0, end_s);
  const cable = {
    delay: { base_s: monitor.base_ms * MS, exponential_s: monitor.exp_ms * MS },
    stall: monitor.stall_p,
    stall_s: monitor.stall_ms * MS,
  };
  const envelope = new ArrivalEnvelope(RATE_HZ);
  const blocks: Block[] = [];
  for (const { block, host_s } of sendBlocks(sent, cable, (tick) => meter.true_s(tick / RATE_HZ), random)) {
    blocks.push(block);
    envelope.push(endTick(block), host_s);
  }
  const spec = { nominal_hz: RATE_HZ, limit_ppm: 500, latency_s: monitor.base_ms * MS, u_latency_s: 0.1 * MS };
  const meterClock = fitArrivals(envelope, spec, source, 0);
  const deviceFit = deviceClock.segments[0]!;
  const recording: PowerRecording = {
    measurand: { source, channel, accuracy: told.measurand.accuracy },
    maps: [meterClock.map!, deviceFit.map!],
    events: heard.map(({ event }) => event),
    idle: told.idle,
    ...{ readings: [], faults: [], references: [], clocks: {}, blocks: () => blocks },
  };
  return {
    ...measured(recording),
    event_s: Math.max(...told.events.map(({ tick }) => Math.abs(toSession(deviceFit.map!, device.reading_s(tick)) - tick))),
    block_s: Math.max(...blocks.map((each) => Math.abs(toSession(meterClock.map!, endTick(each)) - meter.true_s(endTick(each) / RATE_HZ)))),
    rate_ppm: { meter: meterClock.facts.rate_ppm, device: deviceFit.facts.rate_ppm },
  };
}

const sessions = SEEDS.map(session);

test("S8: both clocks are within e = 0.3 ms of the truth, whatever the seed", () => {
  for (const { event_s, block_s, rate_ppm } of sessions) {
    expect(event_s).toBeLessThanOrEqual(tol.offset_abs_s);
    expect(block_s).toBeLessThanOrEqual(tol.offset_abs_s);
    expect(Math.abs(rate_ppm.meter - monitor.ppm)).toBeLessThan(20);
  }
});

test.each([
  ["prefill_energy", "prefill_J", 11.8],
  ["decode_energy", "decode_J", 7.8],
  ["request_energy", "total_J", 11.6],
  ["prefill_energy_net", "prefill_net_J", 11.8],
  ["decode_energy_net", "decode_net_J", 7.8],
] as const)("S8: %s is within the tolerance of S2 and e = 0.3 ms, and within its own uncertainty", (name, key, steps_w) => {
  const truth_j = scenario("S2").expect[key]!;
  const tolerance_j = steps_w * (1 / RATE_HZ / 4 + tol.offset_abs_s);
  const isInside = sessions.map(({ one }) => {
    const { value, uncertainty } = one(name);
    expect(Math.abs(value! - truth_j)).toBeLessThanOrEqual(tolerance_j);
    return Math.abs(value! - truth_j) <= 2 * uncertainty!;
  });
  expect(isInside.filter(Boolean).length).toBeGreaterThanOrEqual(0.95 * SEEDS.length);
});

test("S8: tokens add up to their decode, and times are those of the device", () => {
  const { TTFT_s, TPOT_s, E2E_s } = scenario("S2").expect;
  for (const { one, all } of sessions) {
    const tokens_j = all("token_energy").reduce((sum, { value }) => sum + value!, 0);
    expect(Math.abs(tokens_j - one("decode_energy").value!)).toBeLessThan(1e-9);
    expect(Math.abs(one("ttft").value! - TTFT_s!)).toBeLessThan(0.1 * MS);
    expect(Math.abs(one("tpot").value! - TPOT_s!)).toBeLessThan(0.01 * MS);
    expect(Math.abs(one("e2e_latency").value! - E2E_s!)).toBeLessThan(0.5 * MS);
  }
});
