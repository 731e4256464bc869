import type { Ping } from "../model/ping.ts";
import type { Frame } from "./frame.ts";
import { isCausal, midpoint_s, roundTrip_s } from "./ping-filter.ts";
import { type Smoothed, smoothWalk } from "./random-walk.ts";

/** How fast a crystal's rate wanders, s / s^1.5: half a ppm in ten minutes, as one does that warms up. */
const WANDER = 2e-8;

/** Uncertainty of a ping that waited in no queue: stamping on either side, seconds. */
const STAMP_S = 20e-6;

/**
 * The shortest round trip may have waited, too: about as long as the fourth shortest waited longer, because the
 * shortest of n come as the square root of their number where two queues must be empty at once.
 */
const SHORT = 4;

/** A ping this many of its standard deviations away from the others weighs less; at twice as many it does not count. */
const GATE = 3;
/** Passes in which the weights settle; more change nothing that matters. */
const PASSES = 6;

/**
 * A second opinion about a device's clock: a Kalman filter over all pings and the smoother of Rauch, Tung and Striebel
 * back over it (AIAA Journal 3, 1965). State: how far session time is from device time, and the rate of that, which
 * wanders.
 *
 * The first opinion shares with it the pings and that a rate wanders, but sees a ping as two limits where this one sees
 * a value with an uncertainty. A ping's midpoint is wrong by at most half the time it waited in queues, so its variance
 * is that of a stamp plus the square of that half; the shortest round trip waited in hardly any. Stamps that fit no
 * clock are weighed down in a few passes (Huber's weights, then a gate).
 *
 * @param pings of one segment, in any order
 * @returns one state per ping, in order of x
 */
export function smoothPings(pings: readonly Ping[], frame: Frame): Smoothed[] {
  const seen = observations(pings, frame);
  if (seen.length === 0) return [];
  let weights = seen.map(() => 1);
  let states: Smoothed[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    states = smoothWalk(
      seen.map(({ x, y, u_s }, k) => ({ x, y, variance: u_s ** 2 / weights[k]! })),
      WANDER,
    );
    const isLast = pass === PASSES - 2;
    weights = seen.map((each, k) => weightOf(Math.abs(each.y - states[k]!.y) / Math.hypot(each.u_s, states[k]!.u_s), isLast));
  }
  return states;
}

interface Observed {
  readonly x: number;
  readonly y: number;
  readonly u_s: number;
}

function observations(pings: readonly Ping[], { tick0, t0_s }: Frame): Observed[] {
  const causal = pings.filter(isCausal);
  const trips_s = Float64Array.from(causal, roundTrip_s).sort();
  const shortest_s = trips_s[0] ?? 0;
  const stamp_s = Math.hypot(STAMP_S, ((trips_s[SHORT - 1] ?? shortest_s) - shortest_s) / 2);
  return causal
    .map((p) => {
      const y = midpoint_s(p) - (t0_s - tick0);
      return { x: (p.deviceReceived - tick0 + (p.deviceSent - tick0)) / 2, y, u_s: Math.hypot(stamp_s, (roundTrip_s(p) - shortest_s) / 2) };
    })
    .toSorted((a, b) => a.x - b.x);
}

/** Factor on a ping's variance's inverse. */
const weightOf = (deviations: number, isGated: boolean): number =>
  deviations <= GATE ? 1 : isGated && deviations > 2 * GATE ? 0 : (GATE / deviations) ** 2;
