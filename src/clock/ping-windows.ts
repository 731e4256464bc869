import type { Ping } from "../model/ping.ts";
import { widestCorridorWithout } from "./corridor.ts";
import type { Frame, LocalLine } from "./frame.ts";
import { roundTrip_s, withoutFalsePings } from "./ping-filter.ts";
import type { Limits } from "./soft-corridor.ts";

export interface PingFitOptions {
  /** Largest credible difference between the shortest way there and back, halved, seconds: 0.5 ms USB, 1 ms Wi-Fi. */
  readonly asymmetry_s?: number;
  /** Largest credible rate error of the device's crystal. */
  readonly limit_ppm?: number;
}

/** A window's line, the pings it was drawn between, and those that it showed to be false. */
export interface Fitted {
  readonly line: LocalLine;
  readonly kept: readonly Ping[];
  readonly refused: readonly Ping[];
}

/** A warming crystal leaves a straight line by 0.2 ms at most in such a window; it is drawn anew three times per window. */
const WINDOW_S = 300;
const WINDOW_STEP_S = 100;

/** Half the difference between the two ways over USB. */
export const ASYMMETRY_S = 0.5e-3;

/** Fewer pings than this cannot show that one of them is false. */
export const FEWEST_PINGS = 8;

/** Over less than this a slope would be made of jitter: the rate is taken as nominal, good to {@link CRYSTAL}, for as long. */
const SHORTEST_BASELINE_S = 2;
const CRYSTAL = 100e-6;

/** What remains of the line's uncertainty on a symmetric path, from simulated links. */
export const U_LINE_S = 0.02e-3;

/** A margin smaller than this part of half the shortest round trip is the work of a false stamp. */
const CREDIBLE_MARGIN = 0.6;

/**
 * Lines through windows of pings, evenly spread so that the outer ones end where the session does; a window whose pings
 * are too few or contradict each other has none.
 *
 * @param sent in the order sent, at least one
 */
export function fitWindows(sent: readonly Ping[], frame: Frame, options: PingFitOptions): Fitted[] {
  return windows(sent).flatMap((window) => fitWindow(window, frame, options) ?? []);
}

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
function fitWindow(window: readonly Ping[], frame: Frame, options: PingFitOptions): Fitted | undefined {
  const { asymmetry_s = ASYMMETRY_S, limit_ppm = 500 } = options;
  const limit = limit_ppm * 1e-6;
  const pings = withoutFalsePings(window, limit);
  if (pings.length < FEWEST_PINGS) return undefined;
  const limits = pings.map((p) => limitsOf(p, frame));
  const [floor, ceiling] = [limits.map((each) => each.floor), limits.map((each) => each.ceiling)];
  const isShort = isTooShort(pings);
  const shortest_s = Math.min(...pings.map(roundTrip_s));
  const credible_s = (CREDIBLE_MARGIN * shortest_s) / 2;
  const line = widestCorridorWithout(floor, ceiling, isShort ? 0 : limit, credible_s);
  if (line.margin_s <= 0) return undefined;
  const x = (floor[0]!.x + ceiling.at(-1)!.x) / 2;
  const u_line_s = isShort ? Math.hypot(U_LINE_S, CRYSTAL * SHORTEST_BASELINE_S) : U_LINE_S;
  // Still too narrow: the clock is no line here, and what the quickest ping says of itself is all that holds.
  const margin_s = line.margin_s < credible_s ? shortest_s / 2 : line.margin_s;
  const u_s = Math.hypot(Math.min(margin_s, asymmetry_s) / Math.sqrt(3), u_line_s);
  const bound_s = margin_s + (isShort ? limit * SHORTEST_BASELINE_S : 0);
  const [lows, highs] = [new Set(line.floor), new Set(line.ceiling)];
  // If taking some out did not help, it was not they who were false.
  const kept = new Set(line.margin_s < credible_s ? pings : pings.filter((_, k) => lows.has(floor[k]!) && highs.has(ceiling[k]!)));
  return {
    line: { x, y: line.y + line.slope * x, slope: line.slope, u_s, bound_s },
    kept: [...kept],
    refused: window.filter((p) => !kept.has(p)),
  };
}

/** What a ping says of where the clock is, in the frame. */
export function limitsOf(p: Ping, { tick0, t0_s }: Frame): Limits {
  const point = (tick: number, host_s: number) => ({ x: tick - tick0, y: host_s - t0_s - (tick - tick0) });
  return { floor: point(p.deviceReceived, p.sent_s), ceiling: point(p.deviceSent, p.received_s) };
}

/** Whether a slope through these pings would be made of jitter. @param pings in the order sent */
export const isTooShort = (pings: readonly Ping[]): boolean => pings.at(-1)!.sent_s - pings[0]!.sent_s < SHORTEST_BASELINE_S;
