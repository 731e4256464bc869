import { readFileSync } from "node:fs";
import { binEnd_s, clock, Options } from "../../src/instruments/bridge-ina219-options.ts";
import type { Results } from "../../src/model/results.ts";
import type { TapeRecord } from "../../src/model/tape.ts";
import { instrumentOf, parseRig } from "../../src/rig/rig.ts";
import { evaluate } from "../../src/session/analysis.ts";
import { tapeRecording } from "../../src/session/tape-recording.ts";
import { oscillator } from "../../src/simulate/oscillator.ts";
import { pulsePlant } from "../../src/simulate/phone-pulses.ts";
import { type Plant, shifted, together } from "../../src/simulate/plant.ts";
import { exponential, type Random, seeded } from "../../src/simulate/random.ts";
import { fromSteps, waveform } from "../../src/simulate/waveforms.ts";
import { pingLine, pongLine } from "../../src/wire/ping.ts";
import { PULSE_CODE, PULSES_DONE_LINE, PULSES_LINE, pulseLine, triggerLine } from "../../src/wire/pulses.ts";
import { answer, frame, trigger } from "../instruments/bridge-ina219-wire.ts";

/** What goes on besides a workload that is measured as it should be. */
export interface Doing {
  /** How far the clock that stamps events, pulses and edges is from the one that answers pings; it may change. */
  readonly shift_s?: (true_s: number) => number;
  /** Power of the pulses, of what they should be; 0 for a device that only says it did. */
  readonly pulsePower?: number;
  /** What the device says to `pulses`; all by default. */
  readonly answers?: "all" | "no end" | "unsupported" | "nothing";
  readonly edges?: boolean;
  /** How far the device's whole clock has jumped by a true time: pings see it too. */
  readonly jumped_s?: (true_s: number) => number;
  /** The device's channel is lost then and opened again at once. */
  readonly reopened_s?: number;
  /** What becomes of the nth answer to a ping. */
  readonly pong?: (line: string, n: number) => string;
  /** No frame of the meter arrives in this time. */
  readonly silent_s?: readonly [number, number];
}

/** Prompts as MELT asks them: 9 W while answering, 0.9 W at rest, 5 s apart. */
export const PROMPTS_S = [1, 5, 15, 1, 5];
export const ACTIVE_W = 9;
const REST_W = 0.9;
const PAUSE_S = 5;
const TRAIN_S = 1.5;
const IDLE_S = 8;
const FIRST_S = 14;

const YAML = readFileSync(new URL("../../rigs/virtual.yaml", import.meta.url), "utf8");
const RIG = parseRig(YAML.replace("requests: 6", `requests: ${PROMPTS_S.length}`), "rigs/virtual.yaml");

interface Said {
  readonly source: "meter" | "device" | "session";
  readonly kind: TapeRecord["kind"];
  readonly at_s: number;
  readonly bytes: Uint8Array | string;
}

/** A whole session in virtual time: the bridge as its registers, not its firmware; the device as its lines. */
export function pulseSession(doing: Doing = {}): Results {
  const random = seeded(7);
  const prompts = promptTimes();
  const end_s = prompts.at(-1)!.end_s + PAUSE_S;
  const trains_s = [TRAIN_S, end_s + 3];
  const pulses = waveform(fromSteps([]), { rest_w: 0 });
  const train = doing.pulsePower === 0 ? pulses : pulsePlant();
  const steps = prompts.map(({ start_s, end_s: to_s }) => ({ from_s: start_s, to_s, power_w: ACTIVE_W }));
  const plant = together(waveform(fromSteps(steps), { rest_w: REST_W }), ...trains_s.map((at_s) => shifted(train, at_s)));
  const stop_s = trains_s[1]! + 8;
  const said = [
    ...meter(plant, stop_s, random).filter(({ kind, at_s }) => kind !== "rx" || !isSilent(doing, at_s)),
    ...(doing.edges ? edgesSeen(prompts) : []),
    ...device(doing, { prompts, trains_s, stop_s }, random),
    ...marks(end_s),
  ].sort((a, b) => a.at_s - b.at_s);
  const records = said.map(({ source, kind, at_s, bytes }, seq): TapeRecord => {
    return {
      seq,
      source,
      kind,
      host_ns: Math.round(at_s * 1e9),
      bytes: typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes,
    };
  });
  return evaluate("pulses", tapeRecording({ records: () => records, damagedBytes: () => 0 }, RIG));
}

const isSilent = ({ silent_s: [from_s, to_s] = [0, 0] }: Doing, at_s: number): boolean => at_s >= from_s && at_s < to_s;

interface Prompt {
  readonly start_s: number;
  readonly end_s: number;
}

function promptTimes(): Prompt[] {
  let at_s = FIRST_S;
  return PROMPTS_S.map((length_s) => {
    const prompt = { start_s: at_s, end_s: at_s + length_s };
    at_s += length_s + PAUSE_S;
    return prompt;
  });
}

const OPTIONS = Options.parse(instrumentOf(RIG, "meter").options);
const ON_S = 0.5;
const BRIDGE_RATE = 1 + 2e-4;
const PER_FRAME = 15;
const u16 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];
const u32 = (value: number): number[] => [...u16(value), ...u16(value >>> 16)];
/** Microseconds on the bridge's clock at a true time. */
const bridge_us = (true_s: number): number => Math.round((true_s - ON_S) * BRIDGE_RATE * 1e6) + 5000;

/** Frames of exact means of power in counts, each as late as the fastest way takes and a little more. */
function meter(plant: Plant, stop_s: number, random: Random): Said[] {
  const said: Said[] = [{ source: "meter", kind: "open", at_s: 0, bytes: "{}" }];
  for (const [k, command] of ["stop", "id", "config", "start"].entries())
    said.push({ source: "meter", kind: "rx", at_s: 0.1 * (k + 1), bytes: answer(command) });
  for (let k = 0; k <= stop_s * 10; k++) said.push({ source: "meter", kind: "tick", at_s: k / 10, bytes: "" });
  const period_s = 1e-3 / BRIDGE_RATE;
  const { latency_s } = clock(OPTIONS);
  let arrived_s = 0;
  for (let counter = 0; ON_S + counter * period_s < stop_s; counter += PER_FRAME) {
    const tick_s = ON_S + counter * period_s;
    const end_s = (k: number): number => tick_s + k * period_s + binEnd_s(OPTIONS, 1e-3);
    const body = Array.from({ length: PER_FRAME }, (_, k) => {
      const power_w = plant.energy_j(end_s(k) - period_s, end_s(k)) / period_s;
      return [...u16(Math.round((power_w / 5) * 1e4)), ...u16((1250 << 3) | 2)];
    }).flat();
    const bytes = frame([1, ...u32(counter), ...u32(bridge_us(tick_s)), ...u16(1000), ...body]);
    arrived_s = Math.max(arrived_s + 1e-5, end_s(PER_FRAME - 1) + latency_s + exponential(random, 5e-4));
    said.push({ source: "meter", kind: "rx", at_s: arrived_s, bytes });
  }
  return said;
}

/** The bridge's word on edges that the device made at the beginning and the end of every prompt. */
const edgesSeen = (prompts: readonly Prompt[]): Said[] =>
  prompts.flatMap(({ start_s, end_s }) =>
    (
      [
        [start_s, 1],
        [end_s, 0],
      ] as const
    ).map(([at_s, level]): Said => ({ source: "meter", kind: "rx", at_s: at_s + 2e-3, bytes: trigger(bridge_us(at_s), level) })),
  );

interface Times {
  readonly prompts: readonly Prompt[];
  readonly trains_s: readonly number[];
  readonly stop_s: number;
}

function device(doing: Doing, { prompts, trains_s, stop_s }: Times, random: Random): Said[] {
  const { pong = (text: string) => text, reopened_s } = doing;
  const clock = oscillator({ offset_s: 3.217, ppm: 37 });
  const reading_s = (true_s: number): number => clock.reading_s(true_s) + (doing.jumped_s?.(true_s) ?? 0);
  const stamp = (true_s: number): number => reading_s(true_s) + (doing.shift_s?.(true_s) ?? 0);
  const said: Said[] = [{ source: "device", kind: "open", at_s: 0.55, bytes: "{}" }];
  const line = (kind: "rx" | "tx", at_s: number, text: string): void =>
    void said.push({ source: "device", kind, at_s, bytes: `${text}\n` });
  if (reopened_s !== undefined) {
    said.push({ source: "device", kind: "close", at_s: reopened_s, bytes: '{"lost":"it hung up"}' });
    said.push({ source: "device", kind: "open", at_s: reopened_s, bytes: "{}" });
  }
  let id = 0;
  for (let at_s = 0.6; at_s < stop_s; at_s += 0.25) {
    const arrives_s = at_s + 40e-6 + exponential(random, 1e-4);
    const deviceReceived_s = reading_s(arrives_s);
    line("tx", at_s, pingLine(id));
    const answer = pong(pongLine({ id, deviceReceived_s, deviceSent_s: deviceReceived_s }), id++);
    line("rx", arrives_s + 40e-6 + exponential(random, 1e-4), answer);
  }
  const event = (true_s: number, rest: object): void => line("rx", true_s + 1e-3, JSON.stringify({ ...rest, time_s: stamp(true_s) }));
  for (const [k, { start_s, end_s }] of prompts.entries()) {
    const request = `r${k + 1}`;
    const token_s = (n: number): number => start_s + (end_s - start_s) * (0.2 + 0.08 * n);
    event(start_s, { type: "request_start", request });
    event(token_s(0), { type: "first_token", request, tokens: 20 });
    for (let n = 1; n <= 10; n++) event(n === 10 ? end_s : token_s(n), { type: "token", request, tokens: 1 });
    event(end_s + 1e-6, { type: "request_end", request });
    if (doing.edges)
      for (const [at_s, level] of [
        [start_s, 1],
        [end_s, 0],
      ] as const)
        line("rx", at_s + 1e-3, triggerLine(level, stamp(at_s)));
  }
  for (const train_s of trains_s)
    pulseLines(doing.answers ?? "all", train_s, stamp).forEach(([kind, at_s, text]) => void line(kind, at_s, text));
  return said;
}

function pulseLines(
  answers: NonNullable<Doing["answers"]>,
  train_s: number,
  stamp: (true_s: number) => number,
): ["rx" | "tx", number, string][] {
  const asked: ["tx", number, string] = ["tx", train_s - 0.5, PULSES_LINE];
  if (answers === "nothing") return [asked];
  if (answers === "unsupported") return [asked, ["rx", train_s - 0.49, '{"type":"pulses_unsupported"}']];
  const lines = PULSE_CODE.map(({ on_s, off_s }): ["rx", number, string] => {
    const pulse = { on_s: stamp(train_s + on_s), off_s: stamp(train_s + off_s) };
    return ["rx", train_s + off_s + 1e-3, pulseLine(pulse)];
  });
  const done: ["rx", number, string] = ["rx", train_s + PULSE_CODE.at(-1)!.off_s + 2e-3, PULSES_DONE_LINE];
  return [asked, ...lines, ...(answers === "no end" ? [] : [done])];
}

function marks(end_s: number): Said[] {
  const at = (at_s: number, mark: string): Said => ({ source: "session", kind: "control", at_s, bytes: JSON.stringify({ mark }) });
  return [
    at(IDLE_S, "idle_start"),
    at(FIRST_S - 1, "idle_end"),
    at(FIRST_S - 0.5, "workload_start"),
    at(end_s - 3, "idle_start"),
    at(end_s, "idle_end"),
  ];
}
