import { readFileSync } from "node:fs";
import type { Plant } from "./plant.ts";
import { fromSteps, type Step, waveform } from "./waveforms.ts";

/** How far ahead a step has to be announced at least: the emulated supply looks this often, and a busy machine looks late. */
export const ANNOUNCED_AHEAD_S = 0.25;

/** A load that somebody else announces, on a supply that has a constant one besides. */
export interface AnnouncedLoad {
  readonly rest_w: number;
  readonly supply_v: number;
  /** Plant time of an instant of the host's monotonic clock, nanoseconds. */
  readonly at_s: (instant_ns: bigint) => number;
}

/**
 * The plant of a file to which a program appends what it is about to draw, a line for each stretch of constant power:
 * `{"from_ns":"…","to_ns":"…","power_w":9}`, in nanoseconds of the host's monotonic clock and in order of time. Power is
 * what stands there, not added to the rest's.
 *
 * @returns undefined while there is no file; a last line without its end is not there yet
 * @throws Error naming the line that is wrong
 */
export function announcedPlant(path: string, { rest_w, supply_v, at_s }: AnnouncedLoad): Plant | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const lines = text.split("\n").slice(0, -1);
  const steps = lines.map((line, k) => stepOf(line, k + 1, at_s));
  return waveform(fromSteps(steps), { rest_w, supply_v });
}

function stepOf(line: string, number: number, at_s: AnnouncedLoad["at_s"]): Step {
  const { from_ns, to_ns, power_w } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  if (!isInstant(from_ns) || !isInstant(to_ns) || typeof power_w !== "number" || !(power_w >= 0))
    throw new Error(`line ${number}: expected {"from_ns":"…","to_ns":"…","power_w":…} with decimal nanoseconds as texts`);
  return { from_s: at_s(BigInt(from_ns)), to_s: at_s(BigInt(to_ns)), power_w };
}

const isInstant = (value: unknown): value is string => typeof value === "string" && /^\d+$/.test(value);
