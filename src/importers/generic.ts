import type { ColumnKey } from "../model/block.ts";
import { identityMap } from "../model/clock.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { Accuracy } from "../model/instrument.ts";
import type { ImportedFile, Importer, PowerRecording, Recording } from "../model/recording.ts";
import { parseEvent } from "../parsers/jsonl.ts";
import { readHeader, readRows, type Table } from "./csv.ts";
import { fileNamed, here, readFolder, textOf } from "./folder.ts";
import { type GenericRig, readGenericRig } from "./generic-rig.ts";
import { readTelemetry } from "./generic-telemetry.ts";
import { Problems } from "./problems.ts";
import { longestStep, traceBlocks } from "./trace.ts";

const POWER = "power";
const EVENTS = "events";
const CHANNEL = "main";
const QUANTITIES = ["power_w", "current_a", "voltage_v"] as const;

/** Power, events and telemetry that somebody recorded on one clock, as plain CSV and JSON lines. */
export const generic: Importer = {
  format: "generic",
  summary: "a folder with power.csv, events.jsonl and, if there are, telemetry.csv and rig.json",
  example: "generic recordings/phone-a --out sessions/phone-a",
  collect: (path) =>
    readFolder(path, [
      here("power.csv"),
      here("events.jsonl"),
      { ...here("telemetry.csv"), optional: true },
      { ...here("rig.json"), optional: true },
    ]),
  decode,
};

function decode(files: readonly ImportedFile[]): PowerRecording {
  const optional = (name: string) => files.find((each) => each.name === name);
  const problems = new Problems();
  const rig = readGenericRig(optional("rig.json"), problems);
  const power = readPower(fileNamed(files, "power.csv"), problems);
  const nominal_s = power && nominalStep(power, rig, problems);
  const events = readEvents(fileNamed(files, "events.jsonl"), problems);
  const telemetry = optional("telemetry.csv");
  const readings = telemetry ? readTelemetry(telemetry, problems) : [];
  problems.throwIfAny("generic import");
  return recording({ rig, power: power!, nominal_s: nominal_s!, events, readings });
}

interface Decoded {
  readonly rig: GenericRig;
  readonly power: Table;
  readonly nominal_s: number;
  readonly events: readonly InferenceEvent[];
  readonly readings: Recording["readings"];
}

function recording({ rig, power, nominal_s, events, readings }: Decoded): PowerRecording {
  const { blocks, faults } = traceBlocks({
    source: POWER,
    sampler: rig.sampler,
    times_s: power.columns.get("time_s")!,
    columns: channelColumns(power),
    nominal_s,
    breaks: power.breaks,
  });
  const sources = [POWER, EVENTS, ...(readings.length > 0 ? [readings[0]!.source] : [])];
  return {
    measurand: { source: POWER, channel: CHANNEL, accuracy: statedAccuracy(rig), longestStep: longestStep(nominal_s) },
    maps: sources.map((source) => identityMap(source, 0)),
    events,
    readings,
    idle: rig.idle,
    faults,
    references: [],
    clocks: Object.fromEntries(sources.map((source) => [source, { map: "as imported: all times are on one clock" }])),
    blocks,
  };
}

function readPower(file: ImportedFile, problems: Problems): Table | undefined {
  const header = readHeader(file, problems);
  if (!header) return undefined;
  const has = (name: string) => header.names.includes(name);
  const found = `found ${header.names.join(", ")}`;
  const wrong = !has("time_s") || !(has("power_w") || (has("current_a") && has("voltage_v")));
  if (wrong) {
    problems.add(`${file.name}:${header.line}`, `expected time_s, and power_w or both of current_a and voltage_v; ${found}`);
    return undefined;
  }
  return readRows(file, header, ["time_s", ...QUANTITIES.filter(has)], problems);
}

function channelColumns({ columns }: Table): Record<ColumnKey, Float64Array> {
  const named: Record<ColumnKey, Float64Array> = {};
  for (const quantity of QUANTITIES) {
    const values = columns.get(quantity);
    if (values) named[`${CHANNEL}.${quantity}`] = values;
  }
  return named;
}

/** Seconds one sample stands for: by the stated rate, else the median distance of the times. */
function nominalStep({ rows, columns }: Table, { rate_hz }: GenericRig, problems: Problems): number | undefined {
  if (rate_hz !== undefined) return 1 / rate_hz;
  const times_s = columns.get("time_s")!;
  if (rows === 1) problems.add("power.csv", "has one row; state rate_hz in rig.json, or nobody knows how long it stands for");
  if (rows < 2) return undefined;
  const steps_s = new Float64Array(rows - 1);
  for (let k = 0; k < steps_s.length; k++) steps_s[k] = times_s[k + 1]! - times_s[k]!;
  return steps_s.sort()[steps_s.length >> 1];
}

/** An import names no instrument: only the gain the rig file states is known, the rest counts as exact. */
function statedAccuracy({ gain_uncertainty }: GenericRig): Accuracy {
  return {
    gain: gain_uncertainty,
    currentOffset_a: 0,
    voltageOffset_v: 0,
    currentResolution_a: 0,
    voltageResolution_v: 0,
    sampling_s: 0,
  };
}

/** The events of `events.jsonl`, one per line, on the clock `events`, which ticks in seconds. */
export function readEvents(file: ImportedFile, problems: Problems): readonly InferenceEvent[] {
  const events: InferenceEvent[] = [];
  textOf(file)
    .split("\n")
    .forEach((line, index) => {
      if (line.trim() === "") return;
      const parsed = parseEvent(line);
      if ("problem" in parsed) problems.add(`${file.name}:${index + 1}`, parsed.problem);
      else events.push({ ...parsed.event, source: EVENTS, epoch: 0 });
    });
  return events;
}
