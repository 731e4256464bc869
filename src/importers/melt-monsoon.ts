import type { ImportedFile } from "../model/recording.ts";
import { fileNamed, textOf } from "./folder.ts";
import { isIphone, powerZero } from "./melt-clocks.ts";
import { type MeltConfiguration, type MeltRig, MONSOON, START } from "./melt-files.ts";
import type { MeltMeter } from "./melt-meter.ts";
import { type MeltSamples, readMeltPower } from "./melt-power.ts";
import type { MeltRun } from "./melt-run.ts";
import { meltValues } from "./melt-values.ts";
import { CHANNEL } from "./meter-recording.ts";
import { accuracyFact, meterAccuracy } from "./meter-rig.ts";
import type { Problems } from "./problems.ts";
import { longestStep } from "./trace.ts";

/** The Monsoon of MELT's phones: `measurements_monsoon.csv`, and `.t_monsoon` that says when it began. */
export function monsoonMeter(files: readonly ImportedFile[], rig: MeltRig, problems: Problems): MeltMeter | undefined {
  const started_s = Number(textOf(fileNamed(files, START)).trim() || Number.NaN);
  if (Number.isNaN(started_s)) problems.add(START, "expected one number, seconds since 1970");
  const samples = readMeltPower(fileNamed(files, MONSOON), problems);
  if (!samples || Number.isNaN(started_s)) return undefined;
  const { raw } = samples;
  const trace = { ...samples.trace, facts: { ...samples.trace.facts, ...accuracyFact(rig) } };
  const zero = powerZero(started_s, raw.times_s[0]!, rig);
  return {
    trace,
    channel: CHANNEL,
    accuracy: meterAccuracy(rig, 0),
    longest_s: longestStep(trace.nominal_s),
    zero,
    span_s: [started_s, started_s + raw.times_s.at(-1)!],
    origin_s: Math.floor(started_s),
    temperatures: [],
    references: (run) => meltValues({ ...raw, times_s: raw.times_s.map((time_s) => time_s + started_s) }, run),
    defects: (run, configuration) => defects(samples, zero.facts.melt_late_s, run, configuration),
  };
}

function defects(
  { trace, raw, numpy }: MeltSamples,
  late_s: number | string | undefined,
  run: MeltRun,
  configuration: MeltConfiguration,
): readonly string[] {
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
  return found;
}
