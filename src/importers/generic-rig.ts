import { z } from "zod";
import type { ImportedFile } from "../model/recording.ts";
import { readJson } from "./json.ts";
import type { Problems } from "./problems.ts";

const Interval = z.tuple([z.number(), z.number()]).refine(([from, to]) => from < to, "expected [start, end] with start before end");

/** What `rig.json` of a generic import may say about the bench; every key is optional. */
const GenericRig = z.strictObject({
  sampler: z.enum(["integrating", "point"]).default("integrating"),
  rate_hz: z.number().positive().optional(),
  /** Session seconds in which the device did nothing. */
  idle: z.array(Interval).default([]),
  /** The unit that runs the model, as in the telemetry channels `frequency_hz:<unit>`. */
  load_unit: z.string().optional(),
  /** Trip point of each thermal zone, degrees Celsius. */
  trips: z.record(z.string(), z.number()).default({}),
  /** Relative standard uncertainty (k = 1) of the power. An import names no instrument, so 0 unless it is stated. */
  gain_uncertainty: z.number().nonnegative().default(0),
});
export type GenericRig = z.infer<typeof GenericRig>;

/** Reads `rig.json`; without one, everything is at its default. */
export function readGenericRig(file: ImportedFile | undefined, problems: Problems): GenericRig {
  return (file && readJson(file, GenericRig, problems)) ?? GenericRig.parse({});
}
