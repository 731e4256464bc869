import type { Fault } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { ImportedFile, Importer, Recording } from "../model/recording.ts";
import { fileNamed, textOf } from "./folder.ts";
import { readJson } from "./json.ts";
import { readAppRun } from "./melt-app.ts";
import { clockMap, eventClock, isIphone, powerZero } from "./melt-clocks.ts";
import { CONFIGURATION, collectMelt, MeltConfiguration, MeltRig, MONSOON, START } from "./melt-files.ts";
import { isLlamaCpp, readLlamaCppRun } from "./melt-llamacpp.ts";
import { type MeltSamples, readMeltPower } from "./melt-power.ts";
import type { MeltRun } from "./melt-run.ts";
import { meltValues } from "./melt-values.ts";
import { CHANNEL, POWER } from "./meter-recording.ts";
import { meterAccuracy, RIG } from "./meter-rig.ts";
import { Problems } from "./problems.ts";
import { longestStep, traceBlocks } from "./trace.ts";

const MELT = "melt";

/**
 * A run folder of MELT (brave-experiments/MELT-public with blade-public; S. Laskaridis et al., "MELTing point", 2024):
 * Monsoon power and the events of MLC Chat, LLMFarm or llama.cpp. Its own values stand beside ours, and the defects of its
 * method that this folder shows are told. Session time is seconds of the recording computer's clock.
 */
export const melt: Importer = {
  format: "melt",
  summary: "a run folder of MELT: Monsoon power and the events of MLC Chat, LLMFarm or llama.cpp",
  example: "melt runs/LLMFarmEval/zephyr-3b/run_cs1024_mgl256 --out sessions/zephyr",
  collect: collectMelt,
  decode,
};

interface Decoded {
  readonly samples: MeltSamples;
  readonly run: MeltRun;
  readonly started_s: number;
  readonly configuration: MeltConfiguration;
  readonly rig: MeltRig;
}

function decode(files: readonly ImportedFile[]): Recording {
  const problems = new Problems();
  const optional = (name: string) => files.find((each) => each.name === name);
  const [configurationFile, rigFile] = [optional(CONFIGURATION), optional(RIG)];
  const configuration = (configurationFile && readJson(configurationFile, MeltConfiguration, problems)) ?? {};
  const rig = (rigFile && readJson(rigFile, MeltRig, problems)) ?? MeltRig.parse({});
  const started_s = Number(textOf(fileNamed(files, START)).trim() || Number.NaN);
  if (Number.isNaN(started_s)) problems.add(START, "expected one number, seconds since 1970");
  const samples = readMeltPower(fileNamed(files, MONSOON), problems);
  const run = isLlamaCpp(files) ? readLlamaCppRun(files, problems) : readAppRun(files, problems);
  if (run.prompts.length === 0 && problems.count === 0)
    problems.add("melt_measurements", "has no prompt; expected measurements_iter0.json, or measurements_iter0_conv0.csv of llama.cpp");
  if (problems.count === 0) checkOverlap(run, started_s, samples!, problems);
  problems.throwIfAny("MELT import");
  return recording({ samples: samples!, run, started_s, configuration, rig });
}

function recording(decoded: Decoded): Recording {
  const { samples, run, started_s, configuration, rig } = decoded;
  const { trace, raw } = samples;
  const origin_s = Math.floor(started_s);
  const zero = powerZero(started_s, raw.times_s[0]!, rig);
  const power_u_s = Math.hypot(trace.u_s, zero.u_s);
  const clock = eventClock(run, configuration, rig);
  const source = run.clock;
  const { blocks, faults } = traceBlocks({ ...trace, source: POWER, breaks: [] });
  const meltTimes = { ...raw, times_s: raw.times_s.map((time_s) => time_s + started_s) };
  return {
    measurand: { source: POWER, channel: CHANNEL, accuracy: meterAccuracy(rig, 0), longestStep: longestStep(trace.nominal_s) },
    maps: [clockMap(POWER, { shift_s: zero.shift_s - origin_s, u_s: power_u_s }), clockMap(source, clock)],
    events: events(run, source, origin_s),
    readings: run.thermals.map(({ at_s, state }) => ({
      source,
      epoch: 0,
      channel: "thermal_state:phone",
      tick: at_s - origin_s,
      value: state,
    })),
    idle: rig.idle.map(([from_s, to_s]) => [from_s - origin_s, to_s - origin_s] as const),
    faults: [...trace.faults, ...faults, ...knownDefects(decoded, zero.facts.melt_late_s)],
    references: meltValues(meltTimes, run),
    clocks: {
      [POWER]: { ...trace.facts, ...zero.facts, u_s: power_u_s },
      [source]: clock.facts,
      [MELT]: { engine: run.engine, ...configured(configuration) },
    },
    blocks,
  };
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
function knownDefects({ samples, run, configuration }: Decoded, late_s: number | string | undefined): readonly Fault[] {
  const { trace, raw, numpy } = samples;
  const { rows_sharing_a_stamp: sharing, stamps, rows } = trace.facts;
  const found: string[] = [];
  if (Number(sharing) > 0)
    found.push(`shared stamps: ${rows} rows have ${stamps} stamps; in MELT's sum only the first row of each stamp has weight`);
  if (typeof late_s === "number" && late_s > 0)
    found.push(`shifted power: MELT places it ${late_s.toFixed(3)} s late, by the meter's calibration; here it is moved back`);
  if (run.clock === "phone")
    found.push(
      isIphone(run, configuration)
        ? "no common clock: the iPhone was set once, to whole seconds; MELT takes its times as they are"
        : "no common clock: nothing relates the phone's clock to the computer's; MELT takes its times as they are",
    );
  if (run.engine === "app" && run.prompts.some(({ outputTokens, generated }) => outputTokens < generated))
    found.push("token count: the first token of each prompt is not among those MELT divides by");
  if (numpy) found.push("NumPy 2 spelling: MELT's script stops at such a file; its values are what it would have computed");
  if (raw.times_s.length > 0)
    found.push("per token twice: MELT's notebook for phones divides discharge_pt by the tokens again; the value here is divided once");
  return [...found, ...run.defects].map((detail) => ({ source: MELT, code: "known_defect", count: 1, at_s: 0, detail }));
}

/** Prompts none of which lies in the power trace are of another run, or in another time zone. */
function checkOverlap({ prompts }: MeltRun, started_s: number, { raw }: MeltSamples, problems: Problems): void {
  const [from_s, to_s] = [started_s, started_s + raw.times_s.at(-1)!];
  if (prompts.some(({ start_s, end_s }) => end_s > from_s && start_s < to_s)) return;
  const off_s = prompts[0]!.start_s - from_s;
  problems.add(
    "melt_measurements",
    `the first prompt is ${off_s.toFixed(0)} s after the power began, which lasted ${(to_s - from_s).toFixed(0)} s: another run, or another time zone`,
  );
}
