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
  /** Relative standard uncertainty (k = 1) of the power; without it, what the maker states, if anything. */
  gain_uncertainty: z.number().nonnegative().optional(),
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

/** What a maker states about its meter: a limit of error of the power, relative, and where that stands. */
export interface StatedAccuracy {
  readonly limit: number;
  readonly source: string;
}

type StatedGain = { readonly gain_uncertainty?: number | undefined };

/**
 * The gain that the rig states, else the maker's limit as a rectangular distribution (GUM 4.3.7), else none; and
 * `sampling_s`. A file names no instrument, so the rest counts as exact.
 */
export function meterAccuracy({ gain_uncertainty }: StatedGain, sampling_s: number, stated?: StatedAccuracy): Accuracy {
  return {
    gain: gain_uncertainty ?? (stated ? stated.limit / Math.sqrt(3) : 0),
    currentOffset_a: 0,
    voltageOffset_v: 0,
    currentResolution_a: 0,
    voltageResolution_v: 0,
    sampling_s,
  };
}

/** In words, because a gain that nobody states and one that is exact look alike in a number. */
export function accuracyFact({ gain_uncertainty }: StatedGain, stated?: StatedAccuracy): Readonly<Record<string, string>> {
  if (gain_uncertainty !== undefined) return {};
  if (stated) return { accuracy: `limits of ±${100 * stated.limit} % of the power, rectangular: ${stated.source}` };
  return { accuracy: "no gain_uncertainty stated in rig.json, and none of the maker's is known: the meter counts as exact" };
}
