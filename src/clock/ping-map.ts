import { ratePpm, type TimeMap } from "../model/clock.ts";
import type { Ping } from "../model/ping.ts";
import { widestCorridorWithout } from "./corridor.ts";
import { type ClockFit, type Frame, joinLines, type LocalLine } from "./frame.ts";
import { isCausal, quantile, roundTrip_s, withoutFalsePings } from "./ping-filter.ts";
import { splitAtSteps } from "./steps.ts";

export interface PingFitOptions {
  /** Largest credible difference between the shortest way there and back, halved, seconds: 0.5 ms USB, 1 ms Wi-Fi. */
  readonly asymmetry_s?: number;
  /** Largest credible rate error of the device's crystal. */
  readonly limit_ppm?: number;
}

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

/** A crystal's rate is constant to 1e-8 over such a window; it is drawn anew three times per window. */
const WINDOW_S = 300;
const WINDOW_STEP_S = 100;

/** Fewer pings than this cannot show that one of them is false. */
const FEWEST_PINGS = 8;

/** Over less than this a slope would be made of jitter: the rate is taken as nominal, good to {@link CRYSTAL}, for as long. */
const SHORTEST_BASELINE_S = 2;
const CRYSTAL = 100e-6;

/** What remains of the line's uncertainty on a symmetric path, from simulated links. */
export const U_LINE_S = 0.02e-3;

/** A margin smaller than this part of half the shortest round trip is the work of a false stamp. */
const CREDIBLE_MARGIN = 0.6;

/**
 * Fits the clock of a device that answers pings; its ticks are seconds.
 *
 * A question cannot arrive before it was sent nor an answer leave after it came back, so every ping says where the
 * clock cannot be. In overlapping windows of 300 s the line that keeps the largest distance from all of these limits
 * is the clock, and that distance, the margin, is its bound: half of any difference between the two ways lies within
 * it. `u_s` takes the smaller of margin and `asymmetry_s` as a rectangular half-width.
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
  const used = new Set<Ping>();
  const lines = windows(sent).flatMap((window) => fitWindow(window, frame, options, used) ?? []);
  if (lines.length === 0) return fail("the pings contradict each other: no clock within its rate limit fits them");
  const pieces = joinLines(frame, lines);
  const map: TimeMap = { source, epoch, pieces };
  const start = pieces[0]!;
  const facts = {
    ...about(sent),
    offset_s: start.fromTick - start.t0_s,
    rate_ppm: meanRatePpm(map, sent.at(-1)!.deviceSent),
    bound_s: Math.max(...pieces.map((p) => p.bound_s)),
    pings_used: used.size,
    pings_dropped: pings.length - used.size,
    clock_steps: 0,
  };
  return { map, facts };
}

/** Windows of pings, evenly spread so that the outer ones end where the session does. */
function windows(sent: readonly Ping[]): Ping[][] {
  const start_s = sent[0]!.sent_s;
  const spare_s = sent.at(-1)!.sent_s - start_s - WINDOW_S;
  if (spare_s <= 0) return [[...sent]];
  const count = Math.ceil(spare_s / WINDOW_STEP_S) + 1;
  let from = 0;
  return Array.from({ length: count }, (_, k) => {
    const left_s = start_s + (k * spare_s) / (count - 1);
    while (sent[from]!.sent_s < left_s) from++;
    let to = from;
    while (to < sent.length && sent[to]!.sent_s <= left_s + WINDOW_S) to++;
    return sent.slice(from, to);
  });
}

/** The line through one window, or undefined when its pings are too few or contradict each other. */
function fitWindow(window: readonly Ping[], frame: Frame, options: PingFitOptions, used: Set<Ping>): LocalLine | undefined {
  const { asymmetry_s = 0.5e-3, limit_ppm = 500 } = options;
  const limit = limit_ppm * 1e-6;
  const pings = withoutFalsePings(window, limit);
  if (pings.length < FEWEST_PINGS) return undefined;
  const { tick0, t0_s } = frame;
  const point = (tick: number, host_s: number) => ({ x: tick - tick0, y: host_s - t0_s - (tick - tick0) });
  const floor = pings.map((p) => point(p.deviceReceived, p.sent_s));
  const ceiling = pings.map((p) => point(p.deviceSent, p.received_s));
  const span_s = pings.at(-1)!.sent_s - pings[0]!.sent_s;
  const isShort = span_s < SHORTEST_BASELINE_S;
  const shortest_s = Math.min(...pings.map(roundTrip_s));
  const credible_s = (CREDIBLE_MARGIN * shortest_s) / 2;
  const line = widestCorridorWithout(floor, ceiling, isShort ? 0 : limit, credible_s);
  if (line.margin_s <= 0) return undefined;
  for (const ping of pings) used.add(ping);
  const x = (floor[0]!.x + ceiling.at(-1)!.x) / 2;
  const u_line_s = isShort ? Math.hypot(U_LINE_S, CRYSTAL * SHORTEST_BASELINE_S) : U_LINE_S;
  // Still too narrow: the clock is no line here, and what the quickest ping says of itself is all that holds.
  const margin_s = line.margin_s < credible_s ? shortest_s / 2 : line.margin_s;
  const u_s = Math.hypot(Math.min(margin_s, asymmetry_s) / Math.sqrt(3), u_line_s);
  const bound_s = margin_s + (isShort ? limit * SHORTEST_BASELINE_S : 0);
  return { x, y: line.y + line.slope * x, slope: line.slope, u_s, bound_s };
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
