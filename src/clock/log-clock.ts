import { pieceAt, type SessionSeconds, type TimeMap } from "../model/clock.ts";

/** What an engine's log said, seconds since the log began, and when the host heard it, session time. */
export interface LogArrival {
  readonly tick: number;
  readonly heard_s: number;
}

/** What is known of the device whose log it is. */
export interface LogHost {
  readonly source: string;
  readonly epoch: number;
  /** The map of the device's own clock; its oscillator drives the log's clock, too. */
  readonly device: TimeMap | undefined;
  /** Shortest round trip of a ping, seconds; undefined where nothing was pinged. */
  readonly roundTrip_s: number | undefined;
}

/** Without pings the shortest way of a line is taken to be of this order: half the shortest round trip over adb and ssh. */
const USUAL_WAY_S = 0.5e-3;

/**
 * The map of a log's clock, which shares nothing with the session but its lines' arrivals.
 *
 * A line is never early: the log began not later than the least of `heard - tick`, by the shortest way of a line, which
 * is taken to be half the shortest round trip of a ping, give or take all of it. The rate is not fitted, for a request
 * is too short: the log counts by the same oscillator as the clock that answers pings.
 */
export function logMap(arrivals: readonly LogArrival[], { source, epoch, device, roundTrip_s }: LogHost): TimeMap | undefined {
  const first = arrivals[0];
  if (!first) return undefined;
  const rate_hz = device ? rateAt(device, first.heard_s) : 1;
  const latest_s = arrivals.reduce((least, { tick, heard_s }) => Math.min(least, heard_s - tick / rate_hz), Number.POSITIVE_INFINITY);
  return late({ source, epoch }, latest_s, rate_hz, roundTrip_s);
}

/** The map of stamps taken at arrival, session seconds: each is late by the shortest way of a line. */
export const arrivalMap = ({ source, epoch, roundTrip_s }: Omit<LogHost, "device">): TimeMap => late({ source, epoch }, 0, 1, roundTrip_s);

function late(clock: Pick<TimeMap, "source" | "epoch">, arrived_s: number, rate_hz: number, roundTrip_s: number | undefined): TimeMap {
  const way_s = roundTrip_s === undefined ? USUAL_WAY_S : roundTrip_s / 2;
  const t0_s = (arrived_s - way_s) as SessionSeconds;
  return { ...clock, pieces: [{ fromTick: 0, t0_s, rate_hz, u_s: way_s / Math.sqrt(3), bound_s: Number.POSITIVE_INFINITY }] };
}

/** Ticks per session second that the map has about then: its pieces are ordered by session time as well. */
function rateAt(map: TimeMap, at_s: number): number {
  const piece = map.pieces.findLast(({ t0_s }) => t0_s <= at_s);
  return (piece ?? pieceAt(map, Number.NEGATIVE_INFINITY)).rate_hz;
}
