import type { Ping } from "../model/ping.ts";
import type { Frame } from "./frame.ts";
import { isCausal, midpoint_s, roundTrip_s } from "./ping-filter.ts";

/** What the smoother says of the clock at one ping: x, y and slope as in {@link Frame}, `u_s` its own k = 1. */
export interface Smoothed {
  readonly x: number;
  readonly y: number;
  readonly slope: number;
  readonly u_s: number;
}

/** How fast a crystal's rate wanders, s / s^1.5: half a ppm in ten minutes, as one does that warms up. */
const WANDER = 2e-8;

/** Uncertainty of a ping that waited in no queue: stamping on either side, seconds. */
const STAMP_S = 20e-6;

/**
 * The shortest round trip may have waited, too: about as long as the fourth shortest waited longer, because the
 * shortest of n come as the square root of their number where two queues must be empty at once.
 */
const SHORT = 4;

/** Before the first ping nothing is known of the offset, and of the rate only that it is a crystal's. */
const U_OFFSET_S = 1;
const U_RATE = 500e-6;

/** A ping this many of its standard deviations away from the others weighs less; at twice as many it does not count. */
const GATE = 3;
/** Passes in which the weights settle; more change nothing that matters. */
const PASSES = 6;

/**
 * A second opinion about a device's clock: a Kalman filter over all pings and the smoother of Rauch, Tung and Striebel
 * back over it (AIAA Journal 3, 1965). State: how far session time is from device time, and the rate of that, which
 * wanders.
 *
 * It shares nothing with the two hulls but the pings. A ping's midpoint is wrong by at most half the time it waited in
 * queues, so its variance is that of a stamp plus the square of that half; the shortest round trip waited in hardly any.
 * Stamps that fit no clock are weighed down in a few passes (Huber's weights, then a gate).
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
    states = smooth(seen, weights);
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

/** Offset, rate and their covariance. */
interface State {
  readonly y: number;
  readonly slope: number;
  readonly yy: number;
  readonly yr: number;
  readonly rr: number;
}

function smooth(seen: readonly Observed[], weights: readonly number[]): Smoothed[] {
  const predicted: State[] = [];
  const filtered: State[] = [];
  let state: State = { y: seen[0]!.y, slope: 0, yy: U_OFFSET_S ** 2, yr: 0, rr: U_RATE ** 2 };
  seen.forEach((each, k) => {
    const ahead = k === 0 ? state : predict(state, each.x - seen[k - 1]!.x);
    const weight = weights[k]!;
    state = weight === 0 ? ahead : update(ahead, each.y, each.u_s ** 2 / weight);
    predicted.push(ahead);
    filtered.push(state);
  });
  const states = filtered.slice(-1);
  for (let k = seen.length - 2; k >= 0; k--)
    states.push(back(filtered[k]!, predicted[k + 1]!, { next: states.at(-1)!, dx: seen[k + 1]!.x - seen[k]!.x }));
  return states.toReversed().map(({ y, slope, yy }, k) => ({ x: seen[k]!.x, y, slope, u_s: Math.sqrt(Math.max(0, yy)) }));
}

function predict({ y, slope, yy, yr, rr }: State, dx: number): State {
  const wander = WANDER ** 2 * dx;
  return {
    y: y + slope * dx,
    slope,
    yy: yy + 2 * dx * yr + dx * dx * rr + (wander * dx * dx) / 3,
    yr: yr + dx * rr + (wander * dx) / 2,
    rr: rr + wander,
  };
}

function update({ y, slope, yy, yr, rr }: State, seen: number, variance: number): State {
  const total = yy + variance;
  const gain = yy / total;
  const gainRate = yr / total;
  const off = seen - y;
  return { y: y + gain * off, slope: slope + gainRate * off, yy: (1 - gain) * yy, yr: (1 - gain) * yr, rr: rr - gainRate * yr };
}

/** One step of the smoother: what the next state learnt from the future is handed back. */
function back(here: State, ahead: State, { next, dx }: { next: State; dx: number }): State {
  // C = P F' / P(ahead), two by two.
  const [a, b, c, d] = [here.yy + dx * here.yr, here.yr, here.yr + dx * here.rr, here.rr];
  const det = ahead.yy * ahead.rr - ahead.yr ** 2;
  const [c11, c12] = [(a * ahead.rr - b * ahead.yr) / det, (b * ahead.yy - a * ahead.yr) / det];
  const [c21, c22] = [(c * ahead.rr - d * ahead.yr) / det, (d * ahead.yy - c * ahead.yr) / det];
  const [dy, ds] = [next.y - ahead.y, next.slope - ahead.slope];
  const [p, q, r] = [next.yy - ahead.yy, next.yr - ahead.yr, next.rr - ahead.rr];
  return {
    y: here.y + c11 * dy + c12 * ds,
    slope: here.slope + c21 * dy + c22 * ds,
    yy: here.yy + c11 * (c11 * p + c12 * q) + c12 * (c11 * q + c12 * r),
    yr: here.yr + c11 * (c21 * p + c22 * q) + c12 * (c21 * q + c22 * r),
    rr: here.rr + c21 * (c21 * p + c22 * q) + c22 * (c21 * q + c22 * r),
  };
}
