import type { TimeMap } from "../model/clock.ts";
import type { Accuracy } from "../model/instrument.ts";
import type { Component, GapBounds, Window } from "../model/measurement.ts";
import type { Baseline } from "./baseline.ts";
import type { CounterReadings } from "./counter.ts";
import { edgePowers } from "./edges.ts";
import { gapBounds, gapUncertainty_j } from "./gaps.ts";
import type { Instants } from "./instants.ts";
import { unseen_w } from "./unseen.ts";
import { flagsOf } from "./window-flags.ts";

/** What is needed to turn counter readings into window energies. */
export interface EnergyContext {
  readonly instants: Instants;
  readonly readings: CounterReadings;
  readonly baseline: Baseline | undefined;
  readonly accuracy: Accuracy;
  /** Mean supply voltage, for the effect of offsets; NaN when the source gives power only. */
  readonly voltage_v: number;
  /** Standard uncertainty of an event's session time against the samples', seconds, at a session time. */
  readonly timing_s: (t: number) => number;
  /** True when every instant is inside some sample, so that nothing between samples is unseen. */
  readonly integrating: boolean;
  /** How far beside an edge the counter was read. */
  readonly reach_s: number;
  /** True where an edge was split by the step of power at it, not by time alone. */
  readonly isSplit: (edge_s: number) => boolean;
}

/** Energy of one window: null when no sample lies in it. */
export interface WindowEnergy {
  readonly window: Window;
  readonly energy_j: number | null;
  readonly net_j: number | null;
  readonly components: readonly Component[];
  readonly netComponents: readonly Component[];
  readonly coverage: number;
  readonly peak_w: number;
  /** Coulomb; where the source gives current and the window has no gap. */
  readonly charge_c?: number;
  readonly flags: readonly string[];
  readonly bounds?: GapBounds;
}

/** Below this share of missing time a window is whole: it covers the rounding of edges, no sample is that short. */
const WHOLE = 1e-6;

/**
 * Energy of a window, with gaps filled by the mean power of the same phase and flagged.
 *
 * @param fill_w asked of a window with a gap: mean power of the same phase where it was measured; NaN when it never was
 */
export function windowEnergy(window: Window, fill_w: () => number, context: EnergyContext): WindowEnergy {
  const { instants, readings, baseline } = context;
  const i = instants.indexOf(window.start_s);
  const j = instants.indexOf(window.end_s);
  const length_s = window.end_s - window.start_s;
  const covered_s = readings.covered_s[j]! - readings.covered_s[i]!;
  const missing_s = Math.max(0, length_s - covered_s);
  const hasGap = missing_s > WHOLE * length_s;
  const coverage = hasGap ? covered_s / length_s : 1;
  const measured_j = readings.energy_j[j]! - readings.energy_j[i]! + (readings.energyLow_j[j]! - readings.energyLow_j[i]!);
  const filled_j = hasGap && coverage >= WHOLE ? missing_s * fill_w() : 0;
  const isNull = hasGap && (coverage < WHOLE || Number.isNaN(filled_j));
  const energy_j = isNull ? null : measured_j + filled_j;
  const components = energy_j === null ? [] : componentsOf(window, { i, j, energy_j, missing_s: hasGap ? missing_s : 0 }, context);
  const net_j = energy_j === null || !baseline ? null : energy_j - baseline.power_w * length_s;
  return {
    window,
    energy_j,
    net_j,
    components,
    netComponents: net_j === null ? [] : netOf(components, net_j, length_s, context),
    coverage,
    peak_w: peakOf(readings, i, j),
    flags: flagsOf({ window, i, j, coverage, hasGap, energy_j, components, readings }),
    ...(hasGap && energy_j !== null ? { bounds: gapBounds(window, measured_j, readings) } : {}),
  };
}

/** Mean power of a stretch where it was measured; NaN where it was not. */
export function measuredPower_w(window: Window, { instants, readings }: EnergyContext): { energy_j: number; covered_s: number } {
  const i = instants.indexOf(window.start_s);
  const j = instants.indexOf(window.end_s);
  return { energy_j: readings.energy_j[j]! - readings.energy_j[i]!, covered_s: readings.covered_s[j]! - readings.covered_s[i]! };
}

interface Span {
  readonly i: number;
  readonly j: number;
  readonly energy_j: number;
  readonly missing_s: number;
}

/** Type B and sampling components of a gross window energy: science.md 2.8, 2.1 (edges), 2.6 (gap). */
function componentsOf(window: Window, { i, j, energy_j, missing_s }: Span, context: EnergyContext): Component[] {
  const { accuracy, readings, integrating } = context;
  const length_s = window.end_s - window.start_s;
  const { currentOffset_w, voltageOffset_w, resolution_w } = constantEffects(length_s > 0 ? energy_j / length_s : 0, context);
  const { steps_w, shift_w, rise_w } = edgePowers(window, context);
  const u_s = Math.max(context.timing_s(window.start_s), context.timing_s(window.end_s));
  const list: Component[] = [];
  const put = (name: string, u: number): void => {
    if (u > 0) list.push({ name, u, dof: Number.POSITIVE_INFINITY });
  };
  put("gain", Math.abs(energy_j) * accuracy.gain);
  put("current offset", length_s * currentOffset_w);
  put("voltage offset", length_s * voltageOffset_w);
  put("resolution", length_s * resolution_w);
  // A common error of both edges shifts the window; one of the clock's rate, from end to end of the session, stretches it.
  put("clock", Math.hypot(shift_w * u_s, (energy_j * Math.SQRT2 * u_s) / (readings.end_s - readings.start_s)));
  // A step inside a sample: its mean says how far in, to dt / sqrt(30); a part of it or an instant only says which side.
  // Where the sample was split by its neighbours, nothing of that is left.
  const within_s = readings.step_s / Math.sqrt(integrating ? 30 : 12);
  const edgeError = (step_w: number, edge_s: number): number =>
    step_w * Math.hypot(context.isSplit(edge_s) ? 0 : within_s, accuracy.sampling_s);
  put("edges", Math.hypot(edgeError(steps_w[0], window.start_s), edgeError(steps_w[1], window.end_s)));
  // Energy of a window behind one pole is short by tau times the change of power over it; not corrected, hence a limit.
  put("bandwidth", (rise_w * (accuracy.timeConstant_s ?? 0)) / Math.sqrt(3));
  if (!integrating) put("sampling", length_s * unseen_w(readings, i, j));
  if (missing_s > 0) put("gap", gapUncertainty_j(window, readings));
  return list;
}

/** Standard uncertainties of a mean power from constant offsets and from the least count, by way of current and voltage. */
export function constantEffects(
  power_w: number,
  { accuracy, voltage_v }: Pick<EnergyContext, "accuracy" | "voltage_v">,
): { currentOffset_w: number; voltageOffset_w: number; resolution_w: number } {
  if (!(voltage_v > 0)) return { currentOffset_w: 0, voltageOffset_w: 0, resolution_w: 0 };
  const current_a = power_w / voltage_v;
  const { currentOffset_a, voltageOffset_v, currentResolution_a, voltageResolution_v } = accuracy;
  return {
    currentOffset_w: voltage_v * currentOffset_a,
    voltageOffset_w: Math.abs(current_a) * voltageOffset_v,
    resolution_w: Math.hypot(voltage_v * currentResolution_a, current_a * voltageResolution_v) / Math.sqrt(12),
  };
}

/**
 * Net of idle: gain acts on the net energy, and so does whatever scales every current alike, an offset of the voltage
 * and its least count; an offset of the current cancels; the baseline brings counts of its own and its uncertainty.
 */
function netOf(components: readonly Component[], net_j: number, length_s: number, context: EnergyContext): Component[] {
  const { accuracy, baseline } = context;
  const { voltageOffset_w, resolution_w } = constantEffects(length_s > 0 ? net_j / length_s : 0, context);
  const ofBaseline_w = constantEffects(0, context).resolution_w;
  const anew: Readonly<Record<string, number>> = {
    gain: Math.abs(net_j) * accuracy.gain,
    "current offset": 0,
    "voltage offset": length_s * voltageOffset_w,
    resolution: length_s * Math.hypot(resolution_w, ofBaseline_w),
  };
  const list = components.map((each) => ({ ...each, u: anew[each.name] ?? each.u }));
  if (baseline) list.push({ name: "baseline", u: length_s * baseline.u_w, dof: baseline.dof });
  return list.filter((each) => each.u > 0);
}

function peakOf({ peak_w }: CounterReadings, i: number, j: number): number {
  let peak = Number.NEGATIVE_INFINITY;
  for (let k = i; k < j; k++) if (peak_w[k]! > peak) peak = peak_w[k]!;
  return peak;
}

/** Standard uncertainty of session times given by a set of maps, at a session time; 0 for no maps. */
export function timingOf(maps: readonly TimeMap[], t: number): number {
  let u_s = 0;
  for (const { pieces } of maps) {
    let low = 0;
    let high = pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pieces[middle]!.t0_s <= t) low = middle;
      else high = middle - 1;
    }
    u_s = Math.max(u_s, pieces[low]?.u_s ?? 0);
  }
  return u_s;
}
