import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { ImportedFile } from "../model/recording.ts";
import { here, readFolder, type Wanted } from "./folder.ts";
import { RIG } from "./meter-rig.ts";

export const MONSOON = "measurements_monsoon.csv";
export const START = ".t_monsoon";
export const CONFIGURATION = "configuration.json";
const EVENTS = "melt_measurements";

/** The log of jetson-monitor, one per iteration: what a Jetson has in place of the Monsoon's files. */
export const ENERGY = /^energy_iter\d+\.log$/;

const RECORD = /^(?:measurements_iter\d+(?:_conv\d+|_timing_conv\d+|_thermals)?\.(?:csv|json|tsv)|llm_output_iter\d+_conv\d+\.txt)$/;

/**
 * The files of a MELT run, as brave-experiments/blade-public lays them out for phones and jetsonlab-public for Jetsons; those
 * of the app or the engine lie in a folder of their own.
 */
export async function collectMelt(path: string): Promise<readonly ImportedFile[]> {
  const records = await readdir(join(path, EVENTS)).catch(() => []);
  const logs = (await readdir(path).catch(() => [])).filter((each) => ENERGY.test(each)).sort();
  const power = logs.length > 0 ? logs : [MONSOON, START];
  const wanted: Wanted[] = [...power.map(here), { ...here(CONFIGURATION), optional: true }, { ...here(RIG), optional: true }];
  for (const name of records.filter((each) => RECORD.test(each)).sort()) wanted.push({ name, places: [`${EVENTS}/${name}`] });
  return readFolder(path, wanted);
}

/** Iteration and conversation in the name of a file; -1 where it names none. */
export function numbersOf(name: string): { readonly iteration: number; readonly conversation: number } {
  const number = (pattern: RegExp): number => Number(pattern.exec(name)?.[1] ?? -1);
  return { iteration: number(/iter(\d+)/), conversation: number(/conv(\d+)/) };
}

/** Files whose names match, in order of iteration and conversation. */
export function matching(files: readonly ImportedFile[], pattern: RegExp): readonly ImportedFile[] {
  const rank = (name: string): number => numbersOf(name).iteration * 1e6 + numbersOf(name).conversation;
  return files.filter(({ name }) => pattern.test(name)).toSorted((a, b) => rank(a.name) - rank(b.name));
}

const Interval = z.tuple([z.number(), z.number()]).refine(([from, to]) => from < to, "expected [start, end] with start before end");

/** What a `rig.json` in the folder may add. Times are seconds since 1970 on the clock of the recording computer. */
export const MeltRig = z.strictObject({
  idle: z.array(Interval).default([]),
  gain_uncertainty: z.number().nonnegative().optional(),
  /** Rails of a Jetson whose sum is what the module takes in; without it, the rail of its input. */
  rails: z.array(z.string()).nonempty().optional(),
  /** When the times of the power file were 0; else taken from `.t_monsoon` and the first row. */
  power_zero_s: z.number().optional(),
  /** How far the computer's clock was ahead of the phone's, where somebody knows; and its standard uncertainty (k = 1). */
  phone_behind_s: z.number().optional(),
  clock_uncertainty_s: z.number().nonnegative().optional(),
});
export type MeltRig = z.infer<typeof MeltRig>;

export const MeltConfiguration = z.looseObject({ app: z.string().optional(), device: z.string().optional() });
export type MeltConfiguration = z.infer<typeof MeltConfiguration>;
