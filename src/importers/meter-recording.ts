import type { Block, ColumnKey, Sampler } from "../model/block.ts";
import { identityMap, type SessionSeconds, type TimeMap } from "../model/clock.ts";
import type { Fault } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { ImportedFile, PowerRecording, Reference } from "../model/recording.ts";
import { readEvents } from "./generic.ts";
import { EVENTS as EVENTS_FILE, tableOf } from "./meter-folder.ts";
import { accuracyFact, type MeterRig, meterAccuracy, readMeterRig, type StatedAccuracy } from "./meter-rig.ts";
import { Problems } from "./problems.ts";
import { longestStep, traceBlocks } from "./trace.ts";

export const POWER = "meter";
export const CHANNEL = "main";
const EVENTS = "events";
const CONSTANT_SAMPLES = 4096;

/** Seconds that only a date makes: such a column counts from 1970, and the session begins at its first full second. */
const EPOCH_S = 1e8;

/** The trace of a meter's file in SI units, and what is to be said about it. */
export interface MeterTrace {
  /** Ends of the samples, on the clock of the file's time column. */
  readonly times_s: Float64Array;
  readonly columns: Readonly<Record<ColumnKey, Float64Array>>;
  /** Supply voltage, where the file has no column of it. */
  readonly voltage_v?: number;
  readonly channel?: string;
  readonly sampler: Sampler;
  readonly nominal_s: number;
  /** Standard uncertainty of `times_s`, and of the instant a sample stands for. */
  readonly u_s: number;
  readonly sampling_s: number;
  /** What the maker states about the meter, where it states anything. */
  readonly stated?: StatedAccuracy;
  readonly facts: Readonly<Record<string, number | string>>;
  readonly faults: readonly Fault[];
  readonly references?: readonly Reference[];
  /** What is added to `rig.start_s` where the file itself tells when it began, seconds since 1970. */
  readonly began_s?: number;
}

/** Reads a meter's file; undefined when it cannot be used, and then every reason is a problem. */
export type TraceReader = (file: ImportedFile, rig: MeterRig, problems: Problems) => MeterTrace | undefined;

/**
 * Decodes a meter's file with the rig and the events beside it; without events the whole trace is one unit.
 *
 * @throws JoulebenchError `config` with everything that is wrong with any of the files
 */
export function decodeMeter(format: string, files: readonly ImportedFile[], read: TraceReader): PowerRecording {
  const problems = new Problems();
  const rig = readMeterRig(files, problems);
  const trace = read(tableOf(files), rig, problems);
  const file = files.find(({ name }) => name === EVENTS_FILE);
  const events = file && readEvents(file, problems);
  if (trace && events && problems.count === 0) checkOverlap(events, rig.start_s + (trace.began_s ?? 0), trace.times_s, problems);
  problems.throwIfAny(`${format} import`);
  return recording(trace!, rig, events);
}

function recording(trace: MeterTrace, rig: MeterRig, given: readonly InferenceEvent[] | undefined): PowerRecording {
  const origin_s = trace.times_s[0]! > EPOCH_S ? Math.floor(trace.times_s[0]!) : 0;
  const times_s = origin_s > 0 ? trace.times_s.map((time_s) => time_s - origin_s) : trace.times_s;
  const { nominal_s, sampler, columns, voltage_v, channel = CHANNEL } = trace;
  const zero_s = rig.start_s + origin_s + (trace.began_s ?? 0);
  const { blocks, faults } = traceBlocks({ source: POWER, sampler, times_s, columns, nominal_s, breaks: [] });
  const u_s = given ? rig.clock_uncertainty_s : 0;
  const shared = given
    ? { map: "as imported: on the clock of the file's time column", start_s: zero_s, u_s }
    : { map: "no events.jsonl beside the file: the whole trace is one unit" };
  return {
    measurand: {
      source: POWER,
      channel,
      accuracy: meterAccuracy(rig, trace.sampling_s, trace.stated),
      longestStep: longestStep(nominal_s),
    },
    maps: [identityMap(POWER, 0, trace.u_s), eventMap(zero_s, u_s)],
    events: given ?? wholeTrace(zero_s + times_s[0]! - (sampler === "point" ? 0 : nominal_s), zero_s + times_s.at(-1)!),
    readings: [],
    idle: rig.idle.map(([from_s, to_s]) => [from_s - origin_s, to_s - origin_s] as const),
    faults: [...trace.faults, ...faults],
    references: trace.references ?? [],
    clocks: { [POWER]: { ...trace.facts, ...accuracyFact(rig, trace.stated) }, [EVENTS]: shared },
    blocks: voltage_v === undefined ? blocks : () => supplied(blocks(), channel, voltage_v),
  };
}

function eventMap(zero_s: number, u_s: number): TimeMap {
  const piece = { fromTick: zero_s, t0_s: 0 as SessionSeconds, rate_hz: 1, u_s, bound_s: Number.POSITIVE_INFINITY };
  return { source: EVENTS, epoch: 0, pieces: [piece] };
}

function wholeTrace(from_s: number, to_s: number): readonly InferenceEvent[] {
  const shared = { source: EVENTS, epoch: 0, request: "trace", unit: "trace" };
  return [
    { ...shared, type: "unit_start", tick: from_s },
    { ...shared, type: "unit_end", tick: to_s, count: 1 },
  ];
}

/** Events all of which lie beside the trace are on another clock, whatever else they may be. */
function checkOverlap(events: readonly InferenceEvent[], zero_s: number, times_s: Float64Array, problems: Problems): void {
  const end_s = times_s.at(-1)!;
  const start_s = times_s[0]!;
  if (events.length === 0 || events.some(({ tick }) => tick - zero_s >= start_s && tick - zero_s <= end_s)) return;
  const ticks = events.map(({ tick }) => tick);
  const theirs = `${Math.min(...ticks)} to ${Math.max(...ticks)} s`;
  const ours = `${zero_s + start_s} to ${zero_s + end_s} s`;
  problems.add(
    EVENTS_FILE,
    `its times (${theirs}) lie outside of the trace (${ours}): state in rig.json, as start_s, what their clock showed when the file's time column was 0`,
  );
}

/** Blocks with the one voltage the rig states beside their current. */
function* supplied(blocks: Iterable<Block>, channel: string, voltage_v: number): Generator<Block> {
  const constant = new Float64Array(CONSTANT_SAMPLES).fill(voltage_v);
  for (const block of blocks) {
    const column = block.length <= CONSTANT_SAMPLES ? constant.subarray(0, block.length) : new Float64Array(block.length).fill(voltage_v);
    yield { ...block, columns: { ...block.columns, [`${channel}.voltage_v`]: column } };
  }
}

/** Median distance of the times: what one sample stands for where no rate is stated. */
export function medianStep(times_s: Float64Array): number {
  const steps_s = new Float64Array(Math.max(0, times_s.length - 1));
  for (let k = 0; k < steps_s.length; k++) steps_s[k] = times_s[k + 1]! - times_s[k]!;
  return steps_s.sort()[steps_s.length >> 1] ?? Number.NaN;
}

/** A last line that was cut short. Rows that say `nan` need no fault of their own: they are missing from the times. */
export function cutFault({ cut }: { readonly cut: number }): readonly Fault[] {
  const detail = "the last line is cut short and was left out";
  return cut > 0 ? [{ source: POWER, code: "unread_line", count: cut, at_s: 0, detail }] : [];
}
