import type { LoadPulse, PulseAlignment } from "../model/alignment.ts";
import { fitPole } from "./pulse-fit.ts";
import type { PowerBins } from "./pulse-response.ts";
import { findTrain, PAD_S } from "./pulse-search.ts";

export type { PowerBins } from "./pulse-response.ts";

/** Largest offset that is looked for, seconds either way: more than a whole-second clock or a start-up can hide. */
export const REACH_S = 2;

/** A train is found where its correlation is at least this, and this much higher than anywhere else (simulated benches). */
const LEAST_PEAK = 0.6;
const LEAST_GAP = 0.15;

/** Fewer pulses than this are no code. */
const FEWEST_PULSES = 6;

/**
 * Standard uncertainty of when a load begins: a sleeping core draws its power 0.4 ± 0.3 ms after it was told to, and
 * stops at once, which shifts the train by 0 to 0.5 ms; half-width 0.5 ms, rectangular.
 */
const U_WAKE_S = 0.5e-3 / Math.sqrt(3);

/**
 * Finds a train of load pulses in power and fits how late it is.
 *
 * A search by shape gives the shift to some milliseconds, whatever the clocks claim; then shift and time constant are
 * fitted together, for a slow rise looks like a late one. Nothing is corrected: the result is a statement.
 *
 * @param pulses session time by the device's word, in order
 * @param bins power from {@link REACH_S} before the train to as long after it, where there is any
 */
export function alignPulses(pulses: readonly LoadPulse[], bins: PowerBins): PulseAlignment {
  const at_s = pulses.length === 0 ? 0 : (pulses[0]!.on_s + pulses.at(-1)!.off_s) / 2;
  const nothing = { kind: "pulses", at_s, found: false, offset_s: null, u_s: null, tau_s: null, peak: null, gap: null } as const;
  if (pulses.length < FEWEST_PULSES) return { ...nothing, reason: `${pulses.length} pulses of at least ${FEWEST_PULSES}` };
  if (!inOrder(pulses)) return { ...nothing, reason: "its pulses overlap or run back" };
  const sighting = findTrain(pulses, bins, REACH_S);
  if (!sighting) return { ...nothing, reason: "no power is known around it" };
  const { peak, gap } = sighting;
  if (peak < LEAST_PEAK || gap < LEAST_GAP) {
    const reason = `correlation ${peak.toFixed(2)} (at least ${LEAST_PEAK}), ${gap.toFixed(2)} above the next (at least ${LEAST_GAP})`;
    return { ...nothing, peak, gap, reason };
  }
  const own = between(bins, pulses[0]!.on_s + sighting.shift_s - PAD_S, pulses.at(-1)!.off_s + sighting.shift_s + PAD_S);
  const { shift_s, u_s, tau_s } = fitPole(pulses, own, sighting.shift_s);
  return { kind: "pulses", at_s, found: true, offset_s: shift_s, u_s: Math.hypot(u_s, U_WAKE_S), tau_s, peak, gap };
}

const inOrder = (pulses: readonly LoadPulse[]): boolean =>
  pulses.every(({ on_s, off_s }, k) => off_s > on_s && (k === 0 || on_s > pulses[k - 1]!.off_s));

/** The bins that lie wholly in [from_s, to_s). */
function between({ start_s, end_s, mean_w }: PowerBins, from_s: number, to_s: number): PowerBins {
  const from = start_s.findIndex((each) => each >= from_s);
  const to = end_s.findLastIndex((each) => each <= to_s) + 1;
  return { start_s: start_s.subarray(from, to), end_s: end_s.subarray(from, to), mean_w: mean_w.subarray(from, to) };
}
