import { ratePpm, type TimeMap, toSession } from "../model/clock.ts";
import type { Ping } from "../model/ping.ts";
import { type ClockFit, type Frame, joinLines, type LocalLine } from "./frame.ts";
import { isCausal, quantile, roundTrip_s } from "./ping-filter.ts";
import { ASYMMETRY_S, FEWEST_PINGS, type Fitted, fitWindows, isTooShort, limitsOf, type PingFitOptions, U_LINE_S } from "./ping-windows.ts";
import { type Node, softCorridor, wandered_s } from "./soft-corridor.ts";
import { splitAtSteps } from "./steps.ts";

/** What a report says about a device's clock. */
export type PingFacts = {
  /** Device minus session time at the first ping used; 0 when there is no map. */
  readonly offset_s: number;
  /** Mean over the session; positive when the device's clock runs fast. */
  readonly rate_ppm: number;
  /** Largest hard bound of any piece; 0 when there is no map. */
  readonly bound_s: number;
  readonly pings_used: number;
  readonly pings_dropped: number;
  readonly round_trip_min_s: number;
  readonly round_trip_median_s: number;
  readonly clock_steps: number;
};

/** A warming crystal bends by some microseconds from a chord so long. */
const PIECE_S = 50;

/** Smaller than this part of it, and the clock did not run along the line; what is missing widens the bound so many times. */
const CONTRADICTED_MARGIN = 0.5;
const MISTRUST = 4;

/**
 * Fits the clock of a device that answers pings; its ticks are seconds.
 *
 * A question cannot arrive before it was sent nor an answer leave after it came back, so every ping says where the
 * clock cannot be. Straight corridors through overlapping windows of 300 s show which pings are false and roughly where
 * the clock is; the line of a slowly wandering rate that keeps its distance from the limits of all others is the clock.
 * Its distance from the nearest of them, on the side where it is larger, is its bound: half of any difference between
 * the two ways lies within it. Between two pings it is wider by what the oscillator may have wandered unseen. `u_s` takes
 * the smaller of that distance and `asymmetry_s`, and what may have been wandered, as rectangular half-widths.
 *
 * A clock that stepped has no single map: `fitDevice` splits its pings, gives each part an epoch and fits each.
 */
export function fitPings(pings: readonly Ping[], source: string, epoch: number, options: PingFitOptions = {}): ClockFit<PingFacts> {
  const sent = pings.filter(isCausal).toSorted((a, b) => a.sent_s - b.sent_s);
  const none = { ...about(sent), offset_s: 0, rate_ppm: 0, bound_s: 0, pings_used: 0, pings_dropped: pings.length, clock_steps: 0 };
  const fail = (reason: string, facts: PingFacts = none) => ({ map: undefined, reason, facts });
  if (sent.length < FEWEST_PINGS) return fail(`${sent.length} usable pings of ${pings.length}; at least ${FEWEST_PINGS} are needed`);
  const { steps } = splitAtSteps(sent);
  const step = steps[0];
  if (step) {
    const reason = `the device's clock stepped by ${step.size_s.toPrecision(3)} s before ${step.to_s.toFixed(1)} s`;
    return fail(reason, { ...none, clock_steps: steps.length });
  }
  const first = sent[0]!;
  const frame: Frame = { tick0: first.deviceReceived, t0_s: first.sent_s, nominal_hz: 1 };
  const fitted = fitWindows(sent, frame, options);
  const lines = fitted.map(({ line }) => line);
  if (lines.length === 0) return fail("the pings contradict each other: no clock within its rate limit fits them");
  const rough = { source, epoch, pieces: joinLines(frame, lines) };
  const used = acceptedBy(fitted);
  const map: TimeMap = isTooShort(used)
    ? rough
    : { source, epoch, pieces: joinLines(frame, linesAlong(used, frame, [rough, options.asymmetry_s ?? ASYMMETRY_S])) };
  const { pieces } = map;
  const start = pieces[0]!;
  const facts = {
    ...about(sent),
    offset_s: start.fromTick - start.t0_s,
    rate_ppm: meanRatePpm(map, sent.at(-1)!.deviceSent),
    bound_s: Math.max(...pieces.map((p) => p.bound_s)),
    pings_used: used.length,
    pings_dropped: pings.length - used.length,
    clock_steps: 0,
  };
  return { map, facts };
}

/** Pings that more windows kept than refused, in the order sent. A line bent by the clock, or by a false ping, errs alone. */
function acceptedBy(fitted: readonly Fitted[]): Ping[] {
  const votes = new Map<Ping, number>();
  const vote = (pings: readonly Ping[], by: 1 | -1): void => {
    for (const ping of pings) votes.set(ping, (votes.get(ping) ?? 0) + by);
  };
  for (const { kept, refused } of fitted) {
    vote(kept, 1);
    vote(refused, -1);
  }
  const accepted = [...votes].filter(([, each]) => each > 0).map(([ping]) => ping);
  return (accepted.length < FEWEST_PINGS ? [...fitted[0]!.kept] : accepted).toSorted((a, b) => a.sent_s - b.sent_s);
}

/** Lines that the clock touches every {@link PIECE_S} or so; each has the worst of what lies between it and the one before. */
function linesAlong(pings: readonly Ping[], frame: Frame, [rough, asymmetry_s]: readonly [TimeMap, number]): LocalLine[] {
  const { tick0, t0_s } = frame;
  const limits = pings.map((p) => limitsOf(p, frame));
  const nodes = softCorridor(limits, (x) => toSession(rough, tick0 + x) - t0_s - x);
  const lines: LocalLine[] = [];
  let worst = { pinged_s: 0, unseen_s: 0, u_s: 0 };
  for (const [k, node] of nodes.entries()) {
    const unseen_s = wandered_s(node.x - (nodes[k - 1]?.x ?? node.x));
    worst = {
      pinged_s: Math.max(worst.pinged_s, boundOf(node)),
      unseen_s: Math.max(worst.unseen_s, unseen_s),
      u_s: Math.max(worst.u_s, node.u_s),
    };
    const isEnd = k === nodes.length - 1;
    if (k > 0 && !isEnd && node.x - lines.at(-1)!.x < PIECE_S) continue;
    const u_s = Math.hypot(Math.min(worst.pinged_s, asymmetry_s) / Math.sqrt(3), worst.unseen_s / Math.sqrt(3), U_LINE_S, worst.u_s);
    lines.push({ x: node.x, y: node.y, slope: node.slope, u_s, bound_s: worst.pinged_s + worst.unseen_s });
    worst = { pinged_s: 0, unseen_s: 0, u_s: 0 };
  }
  return lines;
}

/**
 * A true line cannot be further away, whether it runs along this one or at a tilt to it, or it would cross a limit. Where the limits come closer than is
 * credible, the clock did not run along the line, and the less it did the more is what the quickest ping says of
 * itself all that holds.
 */
function boundOf({ above_s, below_s, reach_s, trip_s }: Node): number {
  const [narrow_s, wide_s] = [Math.min(above_s, below_s), Math.max(above_s, below_s, reach_s)];
  const missing_s = Math.max(0, (CONTRADICTED_MARGIN * trip_s) / 2 - narrow_s);
  return Math.max(wide_s, Math.min(trip_s / 2 - Math.min(0, narrow_s), wide_s + MISTRUST * missing_s));
}

function about(pings: readonly Ping[]): Pick<PingFacts, "round_trip_min_s" | "round_trip_median_s"> {
  if (pings.length === 0) return { round_trip_min_s: 0, round_trip_median_s: 0 };
  const trips = pings.map(roundTrip_s);
  return { round_trip_min_s: quantile(trips, 0), round_trip_median_s: quantile(trips, 0.5) };
}

/** Rate error between the map's first piece and `endTick`, weighted by time: that of the chord. */
function meanRatePpm({ pieces }: TimeMap, endTick: number): number {
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  const end_s = last.t0_s + (endTick - last.fromTick) / last.rate_hz;
  if (pieces.length === 1) return ratePpm(first, 1);
  return ((endTick - first.fromTick) / (end_s - first.t0_s) - 1) * 1e6;
}
