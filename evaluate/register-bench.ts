import { ArrivalEnvelope, fitArrivals } from "../src/clock/arrival-map.ts";
import { fitDevice } from "../src/clock/device-clock.ts";
import { bridgeIna219 } from "../src/instruments/bridge-ina219.ts";
import { BUS_LSB_V, binEnd_s, configRegister, type Options, SHUNT_LSB_V } from "../src/instruments/bridge-ina219-options.ts";
import { type Block, endTick } from "../src/model/block.ts";
import type { TimeMap } from "../src/model/clock.ts";
import type { Recording } from "../src/model/recording.ts";
import { INA219, Ina219 } from "../src/simulate/ina219.ts";
import { exchangePings } from "../src/simulate/link.ts";
import { type Oscillator, oscillator } from "../src/simulate/oscillator.ts";
import { IDLE_W, type Phone, phonePlant } from "../src/simulate/phone.ts";
import { phoneTruth } from "../src/simulate/phone-truth.ts";
import { type Plant, shifted, type TrueWindow, together } from "../src/simulate/plant.ts";
import { between, exponential, normal, type Random, seeded } from "../src/simulate/random.ts";
import { fromSteps, waveform } from "../src/simulate/waveforms.ts";
import { type Condition, drawSpecimen } from "./conditions.ts";

/** One measurement of one phone by one specimen of the sensor, in virtual time, and what is true. */
export interface Trial {
  readonly recording: Recording;
  readonly requests: readonly string[];
  /** True values over the load and the requests named. */
  truth(requests: readonly string[]): Readonly<Record<string, number>>;
}

/** As many requests as a careful plan asks for; with fewer, Student's factor alone makes an interval wide. */
export const PROMPTS = 12;
const BASELINE_S = 8;
const AFTER_S = 4;
const START_S = 1.5 + BASELINE_S;
/** What a phone does by the way: its power wanders by this much (standard deviation), anew every quarter of a second. */
const FLICKER_W = 0.03;
const FLICKER_S = 0.25;
/** The bridge reads these registers so long after a tick (firmware-bridge/PROTOCOL.md, "Timing"). */
const SHUNT_LATCH_S = 250e-6;
const BUS_LATCH_S = 105e-6;
const FRAME_S = 0.015;
/** Lateness of a frame beyond the shortest way, mean; and how well the shortest way itself is known. */
const LATE_S = 0.3e-3;
const U_WAY_S = 50e-6;

/**
 * Draws one trial. The chain is that of a session but for the firmware: register model, frames, arrivals and pings
 * over links with drawn delays, both clocks fitted. Host time is true time.
 */
export function drawTrial(condition: Condition, seed: number): Trial {
  const random = seeded(seed);
  const phone = phonePlant({ seed, prompts: PROMPTS });
  const end_s = START_S + phone.end_s + 1 + AFTER_S;
  const load = together(shifted(phone.plant, START_S), flicker(end_s, random));
  // Drawn, so that it lies anywhere between two counts of the bus register.
  const plant = { ...load, supply_v: between(random, 4.9, 5.1) };
  const options = bridgeIna219.options.parse(condition.rig) as Options;
  const samples = sampled({ plant, condition, options, end_s }, random);
  const device = oscillator({ offset_s: 3.217, ppm: 20 * normal(random) });
  const deviceMap = pinged(condition, device, end_s, random);
  const recording: Recording = {
    measurand: { source: "meter", channel: "main", accuracy: bridgeIna219.accuracy(options, "main") },
    maps: [samples.map, deviceMap],
    events: phone.events.map(({ type, true_s, request = "", tokens }) => ({
      type,
      source: "device",
      epoch: 0,
      tick: device.reading_s(START_S + true_s),
      request,
      ...(tokens === undefined ? {} : { tokens }),
    })),
    readings: [],
    idle: [
      [1, 1 + BASELINE_S],
      [START_S + phone.end_s + 1, end_s - 0.1],
    ],
    faults: [],
    references: [],
    clocks: {},
    blocks: () => samples.blocks,
  };
  const names = phone.requests.map((each) => each.request);
  return { recording, requests: names, truth: (requests) => phoneTruth(plant, trueWindows(phone, requests), IDLE_W) };
}

const trueWindows = (phone: Phone, requests: readonly string[]): TrueWindow[] =>
  phone.windows
    .filter((each) => each.phase === "load" || requests.includes(each.request))
    .map((each) => ({ ...each, start_s: each.start_s + START_S, end_s: each.end_s + START_S }));

/** Zero on average, so that it adds to the spread and not to the truth. */
function flicker(end_s: number, random: Random): Plant {
  const steps = Array.from({ length: Math.ceil(end_s / FLICKER_S) }, (_, k) => ({
    from_s: k * FLICKER_S,
    to_s: (k + 1) * FLICKER_S,
    power_w: FLICKER_W * normal(random),
  }));
  return waveform(fromSteps(steps));
}

interface Sampling {
  readonly plant: Plant;
  readonly condition: Condition;
  readonly options: Options;
  readonly end_s: number;
}

/** What the bridge reads off the sensor, tick by tick, as blocks of one frame each, and the map their arrivals give. */
function sampled({ plant, condition, options, end_s }: Sampling, random: Random): { blocks: readonly Block[]; map: TimeMap } {
  const specimen = drawSpecimen(condition, options, random);
  const sensor = new Ina219(() => plant, {
    shunt_ohm: options.shunt_ohm,
    shuntGainError: specimen.gain,
    shuntOffset_v: specimen.shuntOffset_v,
    busOffset_v: specimen.busOffset_v,
    conversionTimeError: specimen.conversionTime,
  });
  sensor.write(INA219.config, configRegister(options), between(random, 0.1, 0.11));
  const clock = oscillator({ offset_s: between(random, 0, 60), ppm: between(random, -5000, 5000) });
  const spec = bridgeIna219.clock(options);
  const way_s = spec.latency_s + between(random, -0.5, 0.5) * options.usb_latency_s + U_WAY_S * normal(random);
  const period_us = Math.round(1e6 / options.rate_hz);
  const binEnd_us = binEnd_s(options, period_us * 1e-6) * 1e6;
  const perFrame = Math.floor(FRAME_S * options.rate_hz);
  const envelope = new ArrivalEnvelope(spec.nominal_hz);
  const blocks: Block[] = [];
  let lostBefore = 0;
  for (let tick = clock.reading_s(0.5) * 1e6; clock.true_s((tick + perFrame * period_us) / 1e6) < end_s; tick += perFrame * period_us) {
    if (random() < condition.frames_lost) {
      lostBefore += perFrame;
      continue;
    }
    const columns = readRegisters(sensor, options, {
      first_s: clock.true_s(tick / 1e6),
      step_s: truePeriod_s(clock, tick, period_us),
      perFrame,
    });
    const first = tick + binEnd_us;
    const about = {
      source: "meter",
      epoch: 0,
      sampler: "averaged",
      startTick: first - period_us,
      ticks: { first, step: period_us },
    } as const;
    const block: Block = { ...about, length: perFrame, lostBefore, columns };
    blocks.push(block);
    envelope.push(endTick(block), clock.true_s(endTick(block) / 1e6) + way_s + exponential(random, LATE_S));
    lostBefore = 0;
  }
  const fit = fitArrivals(envelope, spec, "meter", 0);
  if (!fit.map) throw new Error(fit.reason);
  return { blocks, map: fit.map };
}

const truePeriod_s = (clock: Oscillator, tick: number, period_us: number): number =>
  clock.true_s((tick + period_us) / 1e6) - clock.true_s(tick / 1e6);

function readRegisters(
  sensor: Ina219,
  { shunt_ohm }: Options,
  { first_s, step_s, perFrame }: { readonly first_s: number; readonly step_s: number; readonly perFrame: number },
): Block["columns"] {
  const current_a = new Float64Array(perFrame);
  // The supply is constant, so one reading of the bus stands for all of the frame.
  const voltage_v = new Float64Array(perFrame).fill((sensor.read(INA219.bus, first_s + BUS_LATCH_S) >> 3) * BUS_LSB_V);
  for (let k = 0; k < perFrame; k++) {
    const counts = (sensor.read(INA219.shunt, first_s + k * step_s + SHUNT_LATCH_S) << 16) >> 16;
    current_a[k] = (counts * SHUNT_LSB_V) / shunt_ohm;
  }
  return { "main.current_a": current_a, "main.voltage_v": voltage_v };
}

/** The device's clock as pings find it, over a way whose asymmetry is unknown within the round trip. */
function pinged({ round_trip_s }: Condition, device: Oscillator, end_s: number, random: Random): TimeMap {
  const there_s = between(random, 0, round_trip_s);
  const queue = { exponential_s: 0.3e-3, tail: 0.05, tail_s: 5e-3 };
  const link = { forward: { base_s: there_s, ...queue }, backward: { base_s: round_trip_s - there_s, ...queue } };
  const burst = (at_s: number) => ({ from_s: at_s, to_s: at_s, every_s: 1, count: 64 });
  const schedules = [burst(0.6), { from_s: 5, to_s: end_s - 2, every_s: 5, count: 16 }, burst(end_s)];
  const pings = schedules.flatMap((schedule) => [...exchangePings(schedule, link, device, random)]);
  const { segments } = fitDevice(pings, [], { source: "device", epoch: 0 });
  const map = segments[0]?.map;
  if (!map || segments.length > 1) throw new Error("the device's clock was not fitted as one");
  return map;
}
