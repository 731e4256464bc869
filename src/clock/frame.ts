import type { ClockPiece, SessionSeconds, TimeMap } from "../model/clock.ts";

/**
 * Coordinates in which clocks are compared: x is the device's time since the first tick, y how far the session's
 * clock went ahead of it meanwhile, both seconds.
 *
 * In them a perfect clock is the line y = 0 and a slope is a rate error, so nothing is lost to rounding even when
 * ticks are microseconds since 1970.
 */
export interface Frame {
  readonly tick0: number;
  readonly t0_s: number;
  readonly nominal_hz: number;
}

/** A line through the frame, drawn for the neighbourhood of `x`. `u_s` is k = 1, `bound_s` hard or Infinity. */
export interface LocalLine {
  readonly x: number;
  readonly y: number;
  readonly slope: number;
  readonly u_s: number;
  readonly bound_s: number;
}

/** What became of an attempt to fit a clock: a map, or the reason why there is none; the facts go to the report. */
export type ClockFit<F> =
  | { readonly map: TimeMap; readonly facts: F }
  | { readonly map: undefined; readonly reason: string; readonly facts: F };

const heightAt = (line: LocalLine, x: number): number => line.y + line.slope * (x - line.x);

/** Half the distance between two lines midway between where they were drawn: what their choice leaves open, seconds. */
function disagreement_s(a: LocalLine, b: LocalLine): number {
  const middle = (a.x + b.x) / 2;
  return Math.abs(heightAt(a, middle) - heightAt(b, middle)) / 2;
}

/**
 * Joins local lines into pieces that meet where the lines were drawn; before the first and after the last of them
 * the outermost lines go on.
 *
 * What neighbouring lines disagree about midway (a wandering oscillator, mostly) is added to the uncertainty and to
 * the bound of the piece between them.
 *
 * @param lines in order of x, at least one
 */
export function joinLines(frame: Frame, lines: readonly LocalLine[]): ClockPiece[] {
  const { tick0, t0_s, nominal_hz } = frame;
  const piece = (line: LocalLine): ClockPiece => ({
    fromTick: tick0 + line.x * nominal_hz,
    t0_s: (t0_s + line.x + line.y) as SessionSeconds,
    rate_hz: nominal_hz / (1 + line.slope),
    u_s: line.u_s,
    bound_s: line.bound_s,
  });
  const first = lines[0]!;
  const start = piece({ ...first, x: 0, y: heightAt(first, 0) });
  if (lines.length === 1) return [start];
  const between = lines.slice(1).map((b, k) => {
    const a = lines[k]!;
    const open_s = disagreement_s(a, b);
    const u_s = Math.hypot(Math.max(a.u_s, b.u_s), open_s);
    return piece({ x: a.x, y: a.y, slope: (b.y - a.y) / (b.x - a.x), u_s, bound_s: Math.max(a.bound_s, b.bound_s) + open_s });
  });
  return [start, ...between, piece(lines.at(-1)!)];
}
