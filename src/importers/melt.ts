import type { Fault } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { Reading } from "../model/reading.ts";
import type { ImportedFile, Importer, PowerRecording } from "../model/recording.ts";
import { readJson } from "./json.ts";
import { readAppRun } from "./melt-app.ts";
import { clockMap, eventClock } from "./melt-clocks.ts";
import { CONFIGURATION, collectMelt, ENERGY, MeltConfiguration, MeltRig } from "./melt-files.ts";
import { jetsonMeter } from "./melt-jetson.ts";
import { isLlamaCpp, readLlamaCppRun } from "./melt-llamacpp.ts";
import type { MeltMeter } from "./melt-meter.ts";
import { isMlcCli, readMlcCliRun } from "./melt-mlc-cli.ts";
import { monsoonMeter } from "./melt-monsoon.ts";
import type { MeltRun } from "./melt-run.ts";
import { POWER } from "./meter-recording.ts";
import { RIG } from "./meter-rig.ts";
import { Problems } from "./problems.ts";
import { traceBlocks } from "./trace.ts";

const MELT = "melt";

/**
 * A run folder of MELT (brave-experiments/MELT-public with blade-public and jetsonlab-public; S. Laskaridis et al., "MELTing
 * point", 2024): the power of a Monsoon or of a Jetson's rails, and the events of MLC, LLMFarm or llama.cpp. Its own values
 * stand beside ours, and the defects of its method that this folder shows are told. Session time is seconds of the recording
 * computer's clock.
 */
export const melt: Importer = {
  format: "melt",
  summary: "a run folder of MELT: power of a Monsoon or of a Jetson's rails, and the events of MLC, LLMFarm or llama.cpp",
  example: "melt runs/LLMFarmEval/zephyr-3b/run_cs1024_mgl256 --out sessions/zephyr",
  collect: collectMelt,
  decode,
};

interface Decoded {
  readonly meter: MeltMeter;
  readonly run: MeltRun;
  readonly configuration: MeltConfiguration;
  readonly rig: MeltRig;
}

function decode(files: readonly ImportedFile[]): PowerRecording {
  const problems = new Problems();
  const optional = (name: string) => files.find((each) => each.name === name);
  const [configurationFile, rigFile] = [optional(CONFIGURATION), optional(RIG)];
  const configuration = (configurationFile && readJson(configurationFile, MeltConfiguration, problems)) ?? {};
  const rig = (rigFile && readJson(rigFile, MeltRig, problems)) ?? MeltRig.parse({});
  const isJetson = files.some(({ name }) => ENERGY.test(name));
  const meter = (isJetson ? jetsonMeter : monsoonMeter)(files, rig, problems);
  const run = readRun(files, problems);
  if (run.prompts.length === 0 && problems.count === 0)
    problems.add(
      "melt_measurements",
      "has no prompt; expected measurements_iter0.json, or measurements_iter0_conv0.csv of llama.cpp or MLC",
    );
  if (problems.count === 0) checkOverlap(run, meter!, problems);
  problems.throwIfAny("MELT import");
  return recording({ meter: meter!, run, configuration, rig });
}

function readRun(files: readonly ImportedFile[], problems: Problems): MeltRun {
  if (isMlcCli(files)) return readMlcCliRun(files, problems);
  return isLlamaCpp(files) ? readLlamaCppRun(files, problems) : readAppRun(files, problems);
}

function recording(decoded: Decoded): PowerRecording {
  const { meter, run, configuration, rig } = decoded;
  const { trace, zero, origin_s, channel } = meter;
  const power_u_s = Math.hypot(trace.u_s, zero.u_s);
  const clock = eventClock(run, configuration, rig);
  const source = run.clock;
  const contiguousSteps = meter.longest_s / trace.nominal_s;
  const { blocks, faults } = traceBlocks({ ...trace, source: POWER, breaks: [], contiguousSteps });
  return {
    measurand: { source: POWER, channel, accuracy: meter.accuracy, longestStep: meter.longest_s },
    maps: [clockMap(POWER, { shift_s: zero.shift_s - origin_s, u_s: power_u_s }), clockMap(source, clock)],
    events: events(run, source, origin_s),
    readings: readings(decoded),
    idle: rig.idle.map(([from_s, to_s]) => [from_s - origin_s, to_s - origin_s] as const),
    faults: [...trace.faults, ...faults, ...knownDefects(decoded)],
    references: meter.references(run),
    clocks: {
      [POWER]: { ...trace.facts, ...zero.facts, u_s: power_u_s },
      [source]: clock.facts,
      [MELT]: { engine: run.engine, ...configured(configuration) },
    },
    blocks,
  };
}

/** States of the phone, and temperatures of a Jetson, which stamps them itself. */
function readings({ meter, run }: Decoded): readonly Reading[] {
  const at = (at_s: number): number => at_s - meter.origin_s;
  const shared = { source: run.clock, epoch: 0 };
  return [
    ...run.thermals.map(({ at_s, state }): Reading => ({ ...shared, channel: "thermal_state:phone", tick: at(at_s), value: state })),
    ...meter.temperatures.map(
      ({ zone, at_s, value_degc }): Reading => ({ ...shared, channel: `temperature_degc:${zone}`, tick: at(at_s), value: value_degc }),
    ),
  ];
}

const configured = ({ app, device }: MeltConfiguration): Readonly<Record<string, string>> => ({
  ...(app === undefined ? {} : { app }),
  ...(device === undefined ? {} : { device }),
});

function events({ prompts, loads, model }: MeltRun, source: string, origin_s: number): readonly InferenceEvent[] {
  const named = { source, epoch: 0, ...(model === undefined ? {} : { model }) };
  const loadEvents = loads.flatMap(({ name, start_s, end_s }): InferenceEvent[] => [
    { ...named, type: "load_start", request: name, tick: start_s - origin_s },
    { ...named, type: "load_end", request: name, tick: end_s - origin_s },
  ]);
  const requests = prompts.flatMap((prompt): InferenceEvent[] => {
    const shared = { ...named, request: prompt.name };
    const [start, end] = [prompt.start_s - origin_s, prompt.end_s - origin_s];
    const [first, ...later] = prompt.tokens;
    // Of a prompt about whose tokens nothing is known, the whole is a unit.
    if (first === undefined)
      return [
        { ...shared, unit: "prompt", type: "unit_start", tick: start },
        { ...shared, unit: "prompt", type: "unit_end", tick: end, count: 1 },
      ];
    return [
      { ...shared, type: "request_start", tick: start },
      { ...shared, type: "first_token", tick: first - origin_s, tokens: prompt.inputTokens },
      ...later.map((at_s): InferenceEvent => ({ ...shared, type: "token", tick: at_s - origin_s, tokens: 1 })),
      { ...shared, type: "request_end", tick: end, outputTokens: prompt.generated },
    ];
  });
  return [...loadEvents, ...requests];
}

/** What MELT's method does to this folder, one fault for each defect that applies. */
const knownDefects = ({ meter, run, configuration }: Decoded): readonly Fault[] =>
  [...meter.defects(run, configuration), ...run.defects].map((detail) => ({
    source: MELT,
    code: "known_defect",
    count: 1,
    at_s: 0,
    detail,
  }));

/** Prompts none of which lies in the power trace are of another run, or in another time zone. */
function checkOverlap({ prompts }: MeltRun, { span_s: [from_s, to_s] }: MeltMeter, problems: Problems): void {
  if (prompts.some(({ start_s, end_s }) => end_s > from_s && start_s < to_s)) return;
  const off_s = prompts[0]!.start_s - from_s;
  problems.add(
    "melt_measurements",
    `the first prompt is ${off_s.toFixed(0)} s after the power began, which lasted ${(to_s - from_s).toFixed(0)} s: another run, or another time zone`,
  );
}
