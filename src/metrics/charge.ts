import type { Window } from "../model/measurement.ts";
import type { PowerRecording } from "../model/recording.ts";
import { type CounterReadings, readCounter } from "./counter.ts";
import { Instants } from "./instants.ts";

/** Phases whose charge is reported: those of which a battery feels the whole. */
const CHARGED = new Set<Window["phase"]>(["request", "unit", "load"]);

/**
 * Charge of whole requests, units and loads, coulomb: current summed up as power is for energy, in a sweep of its own.
 *
 * @param split moves readings at phase edges as those of energy are moved
 * @returns undefined for other windows, for windows with a gap, and where the source gives no current
 */
export function chargesOf(
  { measurand, maps, blocks }: PowerRecording,
  windows: readonly Window[],
  split: (readings: CounterReadings, windows: readonly Window[], instants: Instants) => unknown,
): (window: Window) => number | undefined {
  const wanted = windows.filter((each) => CHARGED.has(each.phase));
  if (wanted.length === 0) return () => undefined;
  const instants = new Instants(wanted, [], 0);
  const context = { measurand, maps, quantity: "current_a" as const };
  const readings = readCounter(blocks, context, instants.at, instants.classes(wanted));
  split(readings, wanted, instants);
  const { energy_j: charge_c, covered_s } = readings;
  return (window) => {
    if (!CHARGED.has(window.phase)) return undefined;
    const [i, j] = [instants.indexOf(window.start_s), instants.indexOf(window.end_s)];
    const length_s = window.end_s - window.start_s;
    const isWhole = length_s > 0 && covered_s[j]! - covered_s[i]! > 0.999999 * length_s;
    return isWhole ? charge_c[j]! - charge_c[i]! : undefined;
  };
}
