import type { ClockPiece, TimeMap } from "../model/clock.ts";
import type { ClockSpec } from "../model/instrument.ts";
import type { ArrivalEnvelope, Bin } from "./arrival-envelope.ts";
import { type ClockFit, joinLines, type LocalLine } from "./frame.ts";
import { Hull } from "./hull.ts";

export { ArrivalEnvelope } from "./arrival-envelope.ts";

/** What a report says about a clock that is known from arrivals only. */
export type ArrivalFacts = {
  readonly arrivals: number;
  /** Ticks that ran back within the epoch; not used. */
  readonly ticks_back: number;
  /** Mean over the session; positive when the source's clock runs fast. */
  readonly rate_ppm: number;
  /** Windows in which only a rate beyond the limit would fit: wrong kind of clock in the rig, or lost count. */
  readonly windows_beyond_limit: number;
  /** Mean lateness of the arrivals over the fastest ones. */
  readonly lateness_mean_s: number;
  /** Largest standard uncertainty of any piece, latency included; 0 when there is no map. */
  readonly u_max_s: number;
};

/** A line is drawn through 60 s, anew every 30 s. */
const WINDOW_BINS = 6;
const STEP_BINS = 3;

/** As many bins as a fit to the newest arrivals looks at. */
export const TRAILING_BINS = WINDOW_BINS + 1;

/** Fewer arrivals than this do not show which of them were fast. */
const FEWEST_ARRIVALS = 3;

/**
 * Fits the clock of a source that is known from arrivals only: a monitor's sample index or microsecond counter.
 *
 * Transport only ever makes data late, so the clock lies under every (tick, arrival) point, and the line under them
 * that comes closest in the middle of the window is the clock plus the shortest latency. Lines of overlapping 60 s
 * windows are joined; a shorter session has one. Slopes stay within the limit of the kind of clock.
 * Method: L. Zhang, Z. Liu, C. H. Xia, "Clock synchronization algorithms for network measurements", INFOCOM 2002.
 */
export function fitArrivals(envelope: ArrivalEnvelope, spec: ClockSpec, source: string, epoch: number): ClockFit<ArrivalFacts> {
  const { frame, arrivals, ticksBack } = envelope;
  const fits = frame ? windows(envelope.bins()).flatMap((bins) => fitWindow(bins, spec) ?? []) : [];
  const lines = fits.filter((line, k) => k === 0 || line.x > fits[k - 1]!.x);
  const counted = { arrivals, ticks_back: ticksBack, windows_beyond_limit: fits.filter((f) => f.isBeyond).length };
  if (!frame || lines.length === 0) {
    const reason = `${arrivals} arrivals; at least ${FEWEST_ARRIVALS} within a minute are needed`;
    return { map: undefined, reason, facts: { ...counted, rate_ppm: 0, lateness_mean_s: 0, u_max_s: 0 } };
  }
  const pieces = joinLines({ ...frame, t0_s: frame.t0_s - spec.latency_s }, lines);
  const map: TimeMap = { source, epoch, pieces };
  const facts = {
    ...counted,
    rate_ppm: meanRatePpm(lines),
    lateness_mean_s: sum(lines.map((line) => line.late_s)) / lines.length,
    u_max_s: Math.max(...pieces.map((p) => p.u_s)),
  };
  return { map, facts };
}

/** The line through the newest 60 s, for live values, and the mean lateness over it; undefined while there is nothing to fit. */
export function fitNewest(envelope: ArrivalEnvelope, spec: ClockSpec): { readonly piece: ClockPiece; readonly late_s: number } | undefined {
  const { frame } = envelope;
  if (!frame) return undefined;
  const bins = envelope.bins(WINDOW_BINS);
  const oldest = bins.at(-1)!.index - WINDOW_BINS;
  const trailing = bins.filter(({ index }) => index >= oldest);
  const line = fitWindow(trailing, spec);
  return line && { piece: joinLines({ ...frame, t0_s: frame.t0_s - spec.latency_s }, [line])[0]!, late_s: line.late_s };
}

function windows(bins: readonly Bin[]): Bin[][] {
  const count = bins.at(-1)!.index + 1;
  const lastStart = Math.max(0, count - WINDOW_BINS);
  const starts = Array.from({ length: Math.ceil(lastStart / STEP_BINS) + 1 }, (_, k) => Math.min(k * STEP_BINS, lastStart));
  let from = 0;
  return starts.map((start) => {
    while (bins[from]!.index < start && from < bins.length - 1) from++;
    let to = from;
    while (to < bins.length && bins[to]!.index < start + WINDOW_BINS) to++;
    return bins.slice(from, to);
  });
}

/** A line under one window and what it was found from. */
interface WindowFit extends LocalLine {
  readonly late_s: number;
  readonly isBeyond: boolean;
}

/**
 * The line under one window.
 *
 * Its statistical uncertainty is read from the data: how far above the line the fastest arrival of each 10 s lies
 * (rms over the arrivals; it grows with jitter and with a wandering rate), and the distance at which the fastest of
 * n arrivals with this mean lateness is expected, mean / n.
 */
function fitWindow(bins: readonly Bin[], { limit_ppm, u_latency_s }: ClockSpec): WindowFit | undefined {
  const count = sum(bins.map((bin) => bin.count));
  if (count < FEWEST_ARRIVALS) return undefined;
  const hull = new Hull("lower");
  for (const { points } of bins) for (let k = 0; k < points.length; k += 2) hull.push({ x: points[k]!, y: points[k + 1]! });
  const x = (bins[0]!.firstX + bins.at(-1)!.lastX) / 2;
  const free = hull.slopeAt(x);
  // A clock that runs fast by r has a slope of -r / (1 + r) here.
  const limit = limit_ppm * 1e-6;
  const slope = Math.min(limit / (1 - limit), Math.max(-limit / (1 + limit), free));
  const height = hull.intercept(slope);
  const above_s = Math.sqrt(sum(bins.map((bin) => bin.count * (lowest(bin, slope) - height) ** 2)) / count);
  const late_s = sum(bins.map((bin) => bin.sumY - slope * bin.sumX)) / count - height;
  const u_s = Math.hypot(u_latency_s, above_s, late_s / count);
  return { x, y: height + slope * x, slope, u_s, bound_s: Number.POSITIVE_INFINITY, late_s, isBeyond: slope !== free };
}

/** Height at x = 0 of the line of this slope under a bin's arrivals. */
function lowest({ points }: Bin, slope: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < points.length; k += 2) least = Math.min(least, points[k + 1]! - slope * points[k]!);
  return least;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Rate error between the first and the last window's middle, or that of the only one. */
function meanRatePpm(lines: readonly LocalLine[]): number {
  const first = lines[0]!;
  const last = lines.at(-1)!;
  const slope = lines.length === 1 ? first.slope : (last.y - first.y) / (last.x - first.x);
  return (1 / (1 + slope) - 1) * 1e6;
}
