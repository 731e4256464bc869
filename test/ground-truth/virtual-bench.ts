import { readFileSync } from "node:fs";
import type { TapeRecord } from "../../src/model/tape.ts";
import { parseRig, type Rig } from "../../src/rig/rig.ts";
import { Decoder } from "../../src/session/decoder.ts";
import { Recorder } from "../../src/session/recorder.ts";
import { AvrBridge } from "../../src/simulate/avr-host.ts";
import { oscillator } from "../../src/simulate/oscillator.ts";
import { type Phone, phonePlant } from "../../src/simulate/phone.ts";
import { eventLine, type PhoneEvent } from "../../src/simulate/phone-events.ts";
import { type Plant, shifted } from "../../src/simulate/plant.ts";
import { exponential, type Random, seeded } from "../../src/simulate/random.ts";
import { later, type Switching } from "../../src/simulate/trigger-line.ts";
import { decodeCobs } from "../../src/wire/cobs.ts";
import { pingLine, pongLine } from "../../src/wire/ping.ts";
import { triggerLine } from "../../src/wire/pulses.ts";

/** What is wrong with the bench, on top of what always is. */
export interface Impairment {
  readonly seed: number;
  readonly bridge_ppm: number;
  readonly device_ppm: number;
  /** Share of the frames that the cable swallows, and of those in which it turns a bit. */
  readonly frames_lost: number;
  readonly frames_corrupted: number;
  /** The last frame of samples before the bridge stops is swallowed, whatever the dice say. */
  readonly tail_lost?: boolean;
  /** No frame arrives that the bridge sends in this time, seconds since the workload began. */
  readonly blackout_s?: readonly [number, number];
  /** Everything the bridge sends arrives so much later than its shortest way explains, and nobody says so. */
  readonly late_s?: number;
  /** How finely the bench is stepped, by which everything arrives late; default 1 ms. */
  readonly step_s?: number;
}

/** What the device does; its time 0 is the start of the workload. */
export interface Workload {
  readonly plant: Plant;
  readonly end_s: number;
  readonly events: readonly PhoneEvent[];
  /** The device's trigger output, wired to the bridge; without it the input is open. */
  readonly line?: readonly Switching[];
  /** How long before the workload the session begins, so that the bridge runs and pings are answered; at least 1.5 s. */
  readonly lead_s: number;
  /** How long the session goes on after the workload. */
  readonly after_s: number;
  readonly idle: readonly (readonly [number, number])[];
}

export interface BenchSession {
  readonly rig: Rig;
  readonly records: readonly TapeRecord[];
  /** Samples in frames that never arrived whole: what the host must find out by itself. */
  readonly samplesLost: number;
  readonly framesCorrupted: number;
}

export interface VirtualSession extends BenchSession {
  readonly phone: Phone;
}

const HEX = readFileSync(new URL("../../firmware-bridge/bridge-ina219-uno.hex", import.meta.url), "utf8");
const RIG = new URL("../../rigs/virtual.yaml", import.meta.url);
const STEP_S = 1e-3;
/** Shortest way from the bridge to the host. */
export const WAY_S = 300e-6;
const BASELINE_S = 5;
const AFTER_S = 3;

/** A session with the simulated phone. */
export function virtualSession(impairment: Impairment): VirtualSession {
  const phone = phonePlant({ seed: impairment.seed });
  const idle = [
    [-0.5 - BASELINE_S, -0.5],
    [phone.end_s + 1, phone.end_s + AFTER_S + 0.9],
  ] as const;
  return { ...benchSession({ ...phone, lead_s: 1.5 + BASELINE_S, after_s: 1 + AFTER_S, idle }, impairment), phone };
}

/**
 * The whole bench in virtual time: compiled firmware, wire, device clock, pings and marks become the records of a tape.
 *
 * Host time is true time. The driver's commands reach the firmware as they would through a port.
 */
export function benchSession(workload: Workload, impairment: Impairment): BenchSession {
  const rig = parseRig(readFileSync(RIG, "utf8"), "rigs/virtual.yaml");
  const random = seeded(impairment.seed + 1000);
  const records: TapeRecord[] = [];
  const recorder = new Recorder((record) => records.push(record));
  const start_s = workload.lead_s;
  const step_s = impairment.step_s ?? STEP_S;
  const wire = new Wire(impairment, start_s, random);
  const plant = shifted(workload.plant, start_s);
  const line = later(workload.line ?? [], start_s);
  const sensor = { shunt_ohm: 0.10005, conversionTimeError: 0.02 };
  const bridge = new AvrBridge({
    hex: HEX,
    plant: () => plant,
    sensor,
    line: () => line,
    clockSkew_ppm: impairment.bridge_ppm,
    onBytes: (bytes) => wire.push(bytes, bridge.now_s),
  });
  const decoder = new Decoder(rig, (_source, bytes) => {
    recorder.append({ source: "meter", kind: "tx", host_ns: ns(now_s), bytes });
    bridge.receive(bytes);
  });
  let isStopped = false;
  recorder.records$.subscribe((record) => {
    for (const observation of decoder.push(record)) if (observation.type === "stopped") isStopped = true;
  });
  const end_s = start_s + workload.end_s + workload.after_s;
  const script = [...deviceScript(workload, impairment, end_s, random), ...marks(workload)].sort((a, b) => a.at_s - b.at_s);
  recorder.state("meter", "open", 0, {});
  recorder.state("device", "open", 0, {});
  let now_s = 0;
  let next = 0;
  for (let step = 1; !isStopped && now_s < end_s + 3; step++) {
    now_s = step * step_s;
    bridge.runUntil(now_s);
    for (const chunk of wire.due(now_s)) recorder.append({ source: "meter", kind: "rx", host_ns: ns(now_s), bytes: chunk });
    for (; script[next] && script[next]!.at_s <= now_s; next++) {
      const { source, kind, at_s, text } = script[next]!;
      recorder.append({ source, kind, host_ns: ns(at_s), bytes: new TextEncoder().encode(text) });
    }
    if (step % Math.round(0.1 / step_s) === 0) recorder.tick(ns(now_s));
    if (step === Math.round((end_s + 0.5) / step_s)) {
      wire.isStopping = true;
      const stop = decoder.stop("meter")!;
      recorder.append({ source: "meter", kind: "tx", host_ns: ns(now_s), bytes: stop });
      bridge.receive(stop);
    }
  }
  if (!isStopped) throw new Error("the emulated bridge did not stop");
  return { rig, records, samplesLost: wire.samplesLost, framesCorrupted: wire.framesCorrupted };
}

const ns = (seconds: number): number => Math.round(seconds * 1e9);

interface Line {
  readonly source: "device" | "session";
  readonly kind: "rx" | "tx" | "control";
  readonly at_s: number;
  readonly text: string;
}

/** Pings, pongs and events, each when the host sends or hears it. */
function deviceScript({ events, line = [], lead_s: start_s }: Workload, { device_ppm }: Impairment, end_s: number, random: Random): Line[] {
  const clock = oscillator({ offset_s: 3.217, ppm: device_ppm });
  const lines: Line[] = [];
  let id = 0;
  const burst = (from_s: number, count: number): void => {
    for (let at_s = from_s; count > 0; count--) {
      const arrives_s = at_s + 40e-6 + exponential(random, 100e-6);
      const deviceReceived_s = clock.reading_s(arrives_s);
      const back_s = arrives_s + 40e-6 + exponential(random, 150e-6);
      lines.push({ source: "device", kind: "tx", at_s, text: `${pingLine(id)}\n` });
      lines.push({
        source: "device",
        kind: "rx",
        at_s: back_s,
        text: `${pongLine({ id: id++, deviceReceived_s, deviceSent_s: deviceReceived_s })}\n`,
      });
      at_s = back_s + 50e-6;
    }
  };
  burst(0.6, 64);
  for (let at_s = 5; at_s < end_s; at_s += 5) burst(at_s, 16);
  burst(end_s, 64);
  let last_s = 0;
  const told = events.map((event) => ({ true_s: event.true_s, text: (at_s: number) => eventLine(event, at_s) }));
  const switched = line.map(({ at_s: true_s, level }) => ({ true_s, text: (at_s: number) => triggerLine(level, at_s) }));
  for (const each of [...told, ...switched].sort((a, b) => a.true_s - b.true_s)) {
    const true_s = start_s + each.true_s;
    // One channel: no line overtakes another.
    last_s = Math.max(last_s, true_s + 200e-6 + exponential(random, 1e-3));
    lines.push({ source: "device", kind: "rx", at_s: last_s, text: `${each.text(clock.reading_s(true_s))}\n` });
  }
  return lines;
}

function marks({ lead_s, idle }: Workload): Line[] {
  const at = (workload_s: number, mark: string): Line => ({
    source: "session",
    kind: "control",
    at_s: lead_s + workload_s,
    text: JSON.stringify({ mark }),
  });
  return [at(0, "workload_start"), ...idle.flatMap(([from_s, to_s]) => [at(from_s, "idle_start"), at(to_s, "idle_end")])];
}

/** Layout of firmware-bridge/PROTOCOL.md: type of a SAMPLES frame, bytes before its samples, of each, and of the CRC. */
const SAMPLES = 1;
const HEAD_BYTES = 11;
const SAMPLE_BYTES = 4;
const CRC_BYTES = 2;

/** A cable that delays, swallows and damages whole frames; console text passes untouched. */
class Wire {
  isStopping = false;
  samplesLost = 0;
  framesCorrupted = 0;
  readonly #impairment: Impairment;
  readonly #blackout_s: readonly number[];
  readonly #random: Random;
  readonly #queue: { at_s: number; bytes: Uint8Array }[] = [];
  #pending: number[] = [];
  #tailTaken = false;
  #last_s = 0;

  constructor(impairment: Impairment, start_s: number, random: Random) {
    this.#impairment = impairment;
    this.#blackout_s = (impairment.blackout_s ?? [Number.NaN, Number.NaN]).map((each) => start_s + each);
    this.#random = random;
  }

  push(bytes: Uint8Array, now_s: number): void {
    for (const byte of bytes) {
      this.#pending.push(byte);
      const isFrame = this.#pending[0] === 0;
      if (isFrame ? byte === 0 && this.#pending.length > 2 : byte === 0x0a)
        this.#deliver(Uint8Array.from(this.#pending.splice(0)), isFrame, now_s);
    }
  }

  due(now_s: number): Uint8Array[] {
    const due: Uint8Array[] = [];
    while (this.#queue[0] && this.#queue[0].at_s <= now_s) due.push(this.#queue.shift()!.bytes);
    return due;
  }

  #deliver(bytes: Uint8Array, isFrame: boolean, now_s: number): void {
    const samples = isFrame ? samplesIn(bytes) : 0;
    const { frames_lost, frames_corrupted, tail_lost } = this.#impairment;
    const dice = this.#random();
    const isTail = tail_lost === true && this.isStopping && !this.#tailTaken && samples > 0;
    const isDark = now_s >= this.#blackout_s[0]! && now_s < this.#blackout_s[1]!;
    if (samples > 0 && (isTail || isDark || dice < frames_lost)) {
      this.#tailTaken ||= isTail;
      this.samplesLost += samples;
      return;
    }
    if (samples > 0 && dice < frames_lost + frames_corrupted) {
      const at = 1 + Math.floor(this.#random() * (bytes.length - 2));
      bytes[at]! ^= 1 << Math.floor(this.#random() * 8);
      this.samplesLost += samples;
      this.framesCorrupted++;
    }
    this.#last_s = Math.max(this.#last_s, now_s + WAY_S + (this.#impairment.late_s ?? 0) + exponential(this.#random, 800e-6));
    this.#queue.push({ at_s: this.#last_s, bytes });
  }
}

/** Samples a frame carries, decoded without the driver; 0 for other frames. */
function samplesIn(frame: Uint8Array): number {
  const payload = new Uint8Array(frame.length);
  const length = decodeCobs(frame, 1, frame.length - 1, payload);
  return payload[0] === SAMPLES ? (length - HEAD_BYTES - CRC_BYTES) / SAMPLE_BYTES : 0;
}
