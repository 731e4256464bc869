import { z } from "zod";
import type { Accuracy } from "../model/instrument.ts";
import type { ImportedFile } from "../model/recording.ts";
import { readJson } from "./json.ts";
import type { Problems } from "./problems.ts";

export const RIG = "rig.json";

const Interval = z.tuple([z.number(), z.number()]).refine(([from, to]) => from < to, "expected [start, end] with start before end");

/** What a `rig.json` beside a meter's CSV may say about the bench; every key is optional. */
export const MeterRig = z.strictObject({
  /** Supply voltage, for a file that has none. */
  voltage_v: z.number().positive().optional(),
  /** Units of the file's columns, where its header does not tell them or is known to be wrong. */
  time_unit: z.enum(["s", "ms", "us"]).optional(),
  current_unit: z.enum(["A", "mA", "uA"]).optional(),
  sampler: z.enum(["integrating", "point", "averaged"]).optional(),
  rate_hz: z.number().positive().optional(),
  /** Seconds of the file's time column in which the device did nothing. */
  idle: z.array(Interval).default([]),
  /** Relative standard uncertainty (k = 1) of the power; 0 unless it is stated. */
  gain_uncertainty: z.number().nonnegative().default(0),
  /** What the clock of `events.jsonl` showed when the file's time column was 0. */
  start_s: z.number().default(0),
  /** Standard uncertainty (k = 1) of `start_s`, or of whatever else put both on one clock. */
  clock_uncertainty_s: z.number().nonnegative().default(0),
});
export type MeterRig = z.infer<typeof MeterRig>;

/** Reads `rig.json`; without one, everything is at its default. */
export function readMeterRig(files: readonly ImportedFile[], problems: Problems): MeterRig {
  const file = files.find((each) => each.name === RIG);
  return (file && readJson(file, MeterRig, problems)) ?? MeterRig.parse({});
}

/** The gain the rig states, and `sampling_s`; a file names no instrument, so the rest counts as exact. */
export function meterAccuracy({ gain_uncertainty = 0 }: { readonly gain_uncertainty?: number | undefined }, sampling_s: number): Accuracy {
  return {
    gain: gain_uncertainty,
    currentOffset_a: 0,
    voltageOffset_v: 0,
    currentResolution_a: 0,
    voltageResolution_v: 0,
    sampling_s,
  };
}
