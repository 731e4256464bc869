import { ArrivalEnvelope, fitArrivals } from "../../src/clock/arrival-map.ts";
import { type Block, endTick } from "../../src/model/block.ts";
import { type TimeMap, toSession } from "../../src/model/clock.ts";
import type { ClockSpec } from "../../src/model/instrument.ts";
import type { PowerRecording } from "../../src/model/recording.ts";
import { deviceTime } from "../../src/session/device-time.ts";
import { type IdealOptions, idealBlocks } from "../../src/simulate/ideal.ts";
import { drawDelay, exchangePings, type LinkModel, type PingLink, sendBlocks } from "../../src/simulate/link.ts";
import { type Oscillator, oscillator } from "../../src/simulate/oscillator.ts";
import { shifted } from "../../src/simulate/plant.ts";
import { seeded } from "../../src/simulate/random.ts";
import type { IdealBench } from "./ideal-recording.ts";

const RATE_HZ = 5000;
/** Session time at which a scenario's zero lies, and how long the session goes on after its end. */
export const LEAD_S = 2;
const AFTER_S = 1;
/** The instrument is on from here on. */
const START_S = 0.5;

/** Clocks and links of scenario S8: the device's, its pings', the monitor's, its transfers'. */
const DEVICE_CLOCK = { offset_s: 3.217, ppm: 37, warmup_ppm: 3, warmup_s: 300 };
const MONITOR_PPM = 80;
const WAY = { base_s: 1e-3, exponential_s: 2.5e-3, tail: 0.1, tail_s: 25e-3 };
const PINGS: PingLink = { forward: WAY, backward: WAY };
const TRANSFERS: LinkModel = { delay: { base_s: 0.6e-3, exponential_s: 0.25e-3 }, stall: 0.002, stall_s: 60e-3 };
const BATCH = 96;
/** The monitor's crystal, and its latency as a rig states it. */
const SPEC: ClockSpec = { nominal_hz: RATE_HZ, limit_ppm: 500, latency_s: 0.6e-3, u_latency_s: 0.5e-3 / Math.sqrt(3) };

/** What a session records of a scenario, and how wrong its clocks are. */
export interface LiveRecording {
  readonly recording: PowerRecording;
  /** How much later the map puts an event than a sample of the same scenario time, seconds. */
  readonly misalignment_s: (scenario_s: number) => number;
  /** How much longer events make a stretch of scenario time, seconds. */
  readonly stretch_s: (from_s: number, to_s: number) => number;
}

/**
 * A scenario as a session sees it, in virtual time: the ideal instrument's blocks come over a link with delays and
 * stalls, events are stamped by a device clock known from pings alone, and both clocks are fitted. Host time is true
 * time.
 */
export function liveRecording(bench: IdealBench, sampler: "integrating" | "point", seed: number): LiveRecording {
  const random = seeded(seed);
  const { source, channel } = bench.told.measurand;
  const end_s = LEAD_S + bench.end_s + AFTER_S;
  const device = oscillator(DEVICE_CLOCK);
  const monitor = oscillator({ offset_s: 17, ppm: MONITOR_PPM });
  const heard = bench.told.events.map((event) => {
    const true_s = LEAD_S + scenarioTime(bench, event.source, event.tick);
    return { event: { ...event, tick: device.reading_s(true_s) }, channel: 0, heard_s: true_s + drawDelay(WAY, random) };
  });
  const burst = (from_s: number, to_s: number, count: number) => ({ from_s, to_s, every_s: 10, count });
  const schedules = [burst(0, 0, 64), burst(10, end_s - 1, 16), burst(end_s, end_s, 64)];
  const pings = schedules.flatMap((schedule) => [...exchangePings(schedule, PINGS, device, random)]);
  const told = deviceTime(pings, heard);
  const trueTick = (tick: number): number => monitor.true_s(tick / RATE_HZ);
  const sent = taken(bench, { source, channel, rate_hz: RATE_HZ, sampler, clock: monitor, blockLength: BATCH }, end_s);
  const envelope = new ArrivalEnvelope(RATE_HZ);
  const blocks = [...sendBlocks(sent, TRANSFERS, trueTick, random)].map(({ block, host_s }) => {
    envelope.push(endTick(block), host_s);
    return block;
  });
  const fit = fitArrivals(envelope, SPEC, source, 0);
  if (!fit.map || told.maps.length !== 1) throw new Error("a clock was not fitted as one");
  const maps = [fit.map, ...told.maps];
  const recording: PowerRecording = {
    measurand: { source, channel, accuracy: bench.told.measurand.accuracy, longestStep: 1.5 },
    maps,
    events: told.events,
    readings: [],
    idle: bench.told.idle.map(([from_s, to_s]) => [from_s + LEAD_S, to_s + LEAD_S]),
    faults: [...told.faults],
    references: [],
    clocks: {},
    blocks: () => blocks,
  };
  const errorOf = (map: TimeMap, clock: Oscillator, rate_hz: number, true_s: number) =>
    toSession(map, clock.reading_s(true_s) * rate_hz) - true_s;
  const late_s = (true_s: number): number => errorOf(told.maps[0]!, device, 1, true_s);
  return {
    recording,
    stretch_s: (from_s, to_s) => late_s(LEAD_S + to_s) - late_s(LEAD_S + from_s),
    misalignment_s: (scenario_s) => {
      const true_s = LEAD_S + scenario_s;
      return late_s(true_s) - errorOf(fit.map, monitor, RATE_HZ, true_s);
    },
  };
}

/** Scenario time of what an import was told. */
function scenarioTime({ told }: IdealBench, source: string, tick: number): number {
  return toSession(told.maps.find((each) => each.source === source)!, tick);
}

/** All blocks the instrument takes; those after the gap say how many samples are missing. */
function taken({ plant, gap }: IdealBench, options: IdealOptions, end_s: number): Block[] {
  const take = (from_s: number, to_s: number) => [...idealBlocks(shifted(plant, LEAD_S), options, from_s, to_s)];
  if (!gap) return take(START_S, end_s);
  const before = take(START_S, LEAD_S + gap[0]);
  const [first, ...after] = take(LEAD_S + gap[1], end_s);
  return [...before, { ...first!, lostBefore: first!.startTick - endTick(before.at(-1)!) }, ...after];
}
