import { z } from "zod";
import type { ImportedFile } from "../model/recording.ts";
import { textOf } from "./folder.ts";
import { readJson } from "./json.ts";
import type { Problems } from "./problems.ts";

const J_PER_UJ = 1e-6;

/** `results.txt` prints times in hundredths of a second, `trace1-timestamps.json` in thousandths. */
const ROUNDED_S = 0.006;

const WINDOW = /Energy data for window (\d+) at time ([\d.]+) for ([\d.]+) sec/;
const ENERGY = /\bEnergy\s*:\s*([\d.]+) uJ/;
const PERFORMANCE = /Performance results for window (\d+):/;
const INFERENCES = /# Inferences\s*:\s*(\d+)/;
const MEDIAN = /Median energy cost is ([\d.]+) uJ\/inf/;

/** A window whose energy EnergyRunner published; times are those of the GPIO edges that bound it. */
export interface PublishedWindow {
  readonly name: string;
  readonly start_s: number;
  readonly end_s: number;
  readonly energy_j: number;
  readonly inferences: number;
}

/** Seconds of the GPIO edges since the trace began, rising. Window N of `results.txt` lies between edges N - 1 and N. */
export function readTimestamps(file: ImportedFile, problems: Problems): readonly number[] | undefined {
  const edges_s = readJson(file, z.array(z.number().nonnegative()), problems);
  const back = edges_s?.findIndex((edge_s, k) => k > 0 && edge_s <= edges_s[k - 1]!) ?? -1;
  if (back >= 0) problems.add(file.name, `time ${edges_s?.[back]} after ${edges_s?.[back - 1]}, expected rising times`);
  return edges_s;
}

interface Found {
  line: number;
  at_s: number;
  length_s: number;
  energy_j?: number;
  inferences?: number;
}

/** The published windows of `results.txt`, checked against the timestamps where those could be read, and the median energy per inference. */
export function readResults(
  file: ImportedFile,
  edges_s: readonly number[] | undefined,
  problems: Problems,
): { readonly windows: readonly PublishedWindow[]; readonly median_j: number | undefined } {
  const found = new Map<number, Found>();
  let current: Found | undefined;
  let median_j: number | undefined;
  textOf(file)
    .split("\n")
    .forEach((text, index) => {
      const window = WINDOW.exec(text);
      const performance = PERFORMANCE.exec(text);
      if (window) {
        current = { line: index + 1, at_s: Number(window[2]), length_s: Number(window[3]) };
        found.set(Number(window[1]), current);
      } else if (performance) current = found.get(Number(performance[1]));
      const energy = ENERGY.exec(text)?.[1];
      const inferences = INFERENCES.exec(text)?.[1];
      const median = MEDIAN.exec(text)?.[1];
      if (current && energy !== undefined) current.energy_j = Number(energy) * J_PER_UJ;
      if (current && inferences !== undefined) current.inferences = Number(inferences);
      if (median !== undefined) median_j = Number(median) * J_PER_UJ;
    });
  if (found.size === 0) problems.add(file.name, 'names no window; expected lines "Energy data for window N at time S for S sec."');
  const windows = [...found].map(([number, each]) => published(number, each, edges_s, problems));
  return { windows: windows.filter((each) => each !== undefined), median_j };
}

function published(number: number, found: Found, edges_s: readonly number[] | undefined, problems: Problems): PublishedWindow | undefined {
  const where = `results.txt:${found.line}`;
  const { at_s, length_s, energy_j, inferences } = found;
  if (energy_j === undefined) problems.add(where, `window ${number} has no line "Energy : … uJ"`);
  if (inferences === undefined) problems.add(where, `window ${number} has no line "# Inferences : …"`);
  if (!edges_s) return undefined;
  const start_s = edges_s[number - 1];
  const end_s = edges_s[number];
  if (start_s === undefined || end_s === undefined) {
    problems.add(where, `window ${number} needs ${number + 1} times in trace1-timestamps.json, which has ${edges_s.length}`);
    return undefined;
  }
  if (Math.abs(start_s - at_s) > ROUNDED_S || Math.abs(end_s - start_s - length_s) > ROUNDED_S) {
    const edges = `${start_s} to ${end_s} s`;
    problems.add(
      where,
      `window ${number} at ${at_s} s for ${length_s} s is not ${edges}, as trace1-timestamps.json has it: files of two sessions?`,
    );
  }
  if (energy_j === undefined || inferences === undefined) return undefined;
  return { name: `window ${number}`, start_s, end_s, energy_j, inferences };
}

/** Which energy monitor and which model the session log names; undefined where it does not. */
export function readLog(file: ImportedFile): { readonly monitor: string | undefined; readonly model: string | undefined } {
  const text = textOf(file);
  return {
    monitor: /type\[emon\]-name\[(\w+)\]/.exec(text)?.[1],
    model: /key\[model\]-val\[([^\]]+)\]/.exec(text)?.[1],
  };
}
