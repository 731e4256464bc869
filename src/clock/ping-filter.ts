import type { Ping } from "../model/ping.ts";
import type { Point } from "./hull.ts";

/** Pings sent within a second of each other, at most this many, are one burst: the clock cannot have wandered. */
const BURST_SIZE = 16;
export const BURST_GAP_S = 1;

/** Below this the scatter of bursts is scheduling noise of the host, seconds. */
const NOISE_FLOOR_S = 50e-6;

/** How far on the wrong side of the line a stamp may lie, in robust standard deviations of the bursts. */
const OUTLIER = 4;

/** Time a ping was under way, without the time the device took to answer, seconds. */
export const roundTrip_s = (p: Ping): number => p.received_s - p.sent_s - (p.deviceSent - p.deviceReceived);

/** Session minus device time if both ways took equally long, seconds. */
export const midpoint_s = (p: Ping): number => (p.sent_s - p.deviceReceived + (p.received_s - p.deviceSent)) / 2;

/** Whether a ping's four stamps can be true at all: finite, and no answer before its question. */
export function isCausal(p: Ping): boolean {
  return roundTrip_s(p) >= 0 && p.received_s >= p.sent_s && p.deviceSent >= p.deviceReceived;
}

/** Of every burst the ping that was under way for the shortest time. @param pings in the order sent */
export function shortestPerBurst(pings: readonly Ping[]): Ping[] {
  const shortest: Ping[] = [];
  let size = 0;
  let previous: Ping | undefined;
  for (const ping of pings) {
    if (!previous || size === BURST_SIZE || ping.sent_s - previous.sent_s > BURST_GAP_S) {
      shortest.push(ping);
      size = 0;
    } else if (roundTrip_s(ping) < roundTrip_s(shortest.at(-1)!)) shortest[shortest.length - 1] = ping;
    size++;
    previous = ping;
  }
  return shortest;
}

/**
 * Drops pings with a corrupt stamp: those that say the clock is where the others show it cannot be.
 *
 * A line through the best ping of each burst (Theil-Sen: it takes a quarter of the bursts to mislead it) tells roughly
 * where the clock is. Delays only widen what a ping allows, so a true ping's limits embrace that line up to the
 * scatter of the bursts; one that excludes it by more than four of its standard deviations is false.
 *
 * @param pings of one window, in the order sent
 */
export function withoutFalsePings(pings: readonly Ping[], limit: number): Ping[] {
  const origin = pings[0];
  if (!origin) return [];
  const x = (p: Ping) => p.deviceReceived - origin.deviceReceived;
  const bursts = shortestPerBurst(pings).map((p) => ({ x: x(p), y: midpoint_s(p) }));
  const line = theilSen(bursts, limit);
  const off = bursts.map((p) => Math.abs(p.y - line.y - line.slope * p.x));
  const scatter_s = 1.4826 * quantile(off, 0.5) + NOISE_FLOOR_S;
  const allowance_s = OUTLIER * scatter_s + quantile(pings.map(roundTrip_s), 0.05) / 2;
  return pings.filter((p) => {
    const expected = line.y + line.slope * x(p);
    return p.received_s - p.deviceSent >= expected - allowance_s && p.sent_s - p.deviceReceived <= expected + allowance_s;
  });
}

/**
 * The line of median slope and median height: P. K. Sen, JASA 63 (1968). Slopes are taken between points at least a
 * quarter of the span apart: those within one burst are all jitter.
 */
function theilSen(points: readonly Point[], limit: number): { slope: number; y: number } {
  const apart = Math.abs(points.at(-1)!.x - points[0]!.x) / 4;
  const slopes: number[] = [];
  for (const [i, a] of points.entries()) {
    for (const b of points.slice(i + 1)) if (b.x - a.x > apart) slopes.push((b.y - a.y) / (b.x - a.x));
  }
  const slope = slopes.length === 0 ? 0 : Math.min(limit, Math.max(-limit, quantile(slopes, 0.5)));
  return {
    slope,
    y: quantile(
      points.map((p) => p.y - slope * p.x),
      0.5,
    ),
  };
}

/** The value below which a fraction q of the values lies; `values` must not be empty. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(q * (sorted.length - 1))]!;
}
