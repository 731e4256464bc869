import type { Window } from "../model/measurement.ts";
import type { CounterReadings } from "./counter.ts";
import type { Instants } from "./instants.ts";

/** What an error of time does to the energy of a window, by the powers beside its edges, W. */
export interface EdgePowers {
  /** Steps of power at the start and at the end: an edge that is wrong by itself gains or loses so much per second. */
  readonly steps_w: readonly [number, number];
  /**
   * Both edges wrong by the same time: what is gained at one is lost at the other. Root mean square over an error that
   * goes either way with like chances: a later window meets the powers after its edges, an earlier one those before.
   */
  readonly shift_w: number;
  /** Power before the end less power before the start: what a time constant leaves in the window, per second of it. */
  readonly rise_w: number;
}

export interface EdgeContext {
  readonly instants: Instants;
  readonly readings: CounterReadings;
  /** How far beside an edge the counter was read. */
  readonly reach_s: number;
}

/** Differences to a side where nothing was measured count as none. */
export function edgePowers({ start_s, end_s }: Window, context: EdgeContext): EdgePowers {
  const [start, end] = [beside(start_s, context), beside(end_s, context)];
  const rise_w = known(end.before_w - start.before_w);
  return {
    steps_w: [known(start.after_w - start.before_w), known(end.after_w - end.before_w)],
    shift_w: Math.hypot(known(end.after_w - start.after_w), rise_w) / Math.SQRT2,
    rise_w: Math.abs(rise_w),
  };
}

const known = (difference_w: number): number => (Number.isFinite(difference_w) ? difference_w : 0);

/** Mean powers just before and just after an edge. */
function beside(edge_s: number, { instants, readings, reach_s }: EdgeContext): { readonly before_w: number; readonly after_w: number } {
  const [before, at, after] = [instants.indexOf(edge_s - reach_s), instants.indexOf(edge_s), instants.indexOf(edge_s + reach_s)];
  const mean_w = (i: number, j: number): number =>
    (readings.energy_j[j]! - readings.energy_j[i]!) / (readings.covered_s[j]! - readings.covered_s[i]!);
  return { before_w: mean_w(before, at), after_w: mean_w(at, after) };
}
