import { pieceAt, type TimeMap, toSession } from "../model/clock.ts";
import type { Ping } from "../model/ping.ts";
import type { ClockFit } from "./frame.ts";
import { fitPings, type PingFacts } from "./ping-map.ts";
import { type PingFitOptions, U_LINE_S } from "./ping-windows.ts";
import { smoothPings } from "./smoother.ts";
import { cutAtStep, type Heard } from "./step-events.ts";
import { type ClockStep, splitAtSteps } from "./steps.ts";

/** What a report says about a device's clock, second opinion included. */
export type DeviceFacts = PingFacts & {
  /** Largest disagreement of the two estimators at any ping; 0 when there is no map. */
  readonly cross_check_s: number;
  /** Session time at which it was. */
  readonly cross_check_at_s: number;
};

/** A device's clock over the life of one channel. */
export interface DeviceClock {
  /** One per stretch without a step, in order; the epochs of their maps count on from the first. */
  readonly segments: readonly ClockFit<DeviceFacts>[];
  readonly steps: readonly ClockStep[];
  /** For each of what was heard, the epoch whose clock stamped it. */
  readonly epochs: readonly number[];
}

/**
 * The final clock of a device that answers pings: cut at its steps, fitted part by part, cross-checked.
 *
 * @param pings of one channel, in the order sent
 * @param heard what else came over it, in the order heard
 * @param epoch of the first segment; every further one takes the next number
 */
export function fitDevice(
  pings: readonly Ping[],
  heard: readonly Heard[],
  { source, epoch, options = {} }: { readonly source: string; readonly epoch: number; readonly options?: PingFitOptions },
): DeviceClock {
  const { segments, steps } = splitAtSteps(pings);
  const fits = segments.map((segment, k) => {
    const fit = crossChecked(fitPings(segment, source, epoch + k, options), segment);
    return { ...fit, facts: { ...fit.facts, clock_steps: k } };
  });
  const cuts = steps.map((step, k) => cutAtStep(heard, step, { before: fits[k]!.map, after: fits[k + 1]!.map }));
  const epochs = heard.map((_, i) => epoch + cuts.filter((cut) => i >= cut.first).length);
  return { segments: fits, steps: cuts.map(({ from_s, to_s, size_s }) => ({ from_s, to_s, size_s })), epochs };
}

/**
 * Compares a map with the smoother's opinion at every ping. Half of what they disagree about within a piece is added to
 * the uncertainty of its line: `u = 0.02 ms + |difference| / 2`. The bound stays: it counts from the line, wherever that is.
 */
export function crossChecked(fit: ClockFit<PingFacts>, pings: readonly Ping[]): ClockFit<DeviceFacts> {
  const none = { ...fit.facts, cross_check_s: 0, cross_check_at_s: 0 };
  const first = pings[0];
  if (!fit.map || !first) return { ...fit, map: undefined, reason: fit.map ? "no pings" : fit.reason, facts: none };
  const frame = { tick0: first.deviceReceived, t0_s: first.sent_s, nominal_hz: 1 };
  const { map } = fit;
  let worst = { off_s: 0, at_s: 0 };
  const offs = new Map(map.pieces.map((piece) => [piece, 0]));
  for (const { x, y } of smoothPings(pings, frame)) {
    const tick = frame.tick0 + x;
    const at_s = toSession(map, tick);
    const off_s = Math.abs(at_s - (frame.t0_s + x + y));
    const piece = pieceAt(map, tick);
    offs.set(piece, Math.max(offs.get(piece) ?? 0, off_s));
    if (off_s > worst.off_s) worst = { off_s, at_s };
  }
  const pieces = map.pieces.map((piece) => {
    const u_line_s = U_LINE_S + offs.get(piece)! / 2;
    return { ...piece, u_s: Math.sqrt(piece.u_s ** 2 + u_line_s ** 2 - U_LINE_S ** 2) };
  });
  const checked: TimeMap = { ...map, pieces };
  return { map: checked, facts: { ...fit.facts, cross_check_s: worst.off_s, cross_check_at_s: worst.at_s } };
}
