declare const domain: unique symbol;

/** Seconds on the session clock: host monotonic, zero when the session opened. Only {@link toSession} and {@link hostToSession} make one. */
export type SessionSeconds = number & { readonly [domain]: "session" };

/**
 * Integer nanoseconds of the host's monotonic clock since the session opened.
 *
 * A plain number: exact up to 2^53 ns, which is 104 days.
 */
export type HostNs = number;

/**
 * One affine piece of a {@link TimeMap}: `t = t0_s + (tick - fromTick) / rate_hz` from `fromTick` on.
 *
 * `u_s` is the standard uncertainty (k = 1) of a time it gives; `bound_s` a hard bound where the method has one, else Infinity.
 */
export interface ClockPiece {
  readonly fromTick: number;
  readonly t0_s: SessionSeconds;
  readonly rate_hz: number;
  readonly u_s: number;
  readonly bound_s: number;
}

/**
 * Maps the ticks of one epoch of one clock to session time.
 *
 * Pieces are ordered by `fromTick` and continuous at the joints. The first piece also serves earlier ticks.
 */
export interface TimeMap {
  readonly source: string;
  readonly epoch: number;
  readonly pieces: readonly ClockPiece[];
}

/** The piece in force at `tick`. @throws RangeError when the map is empty. */
export function pieceAt(map: TimeMap, tick: number): ClockPiece {
  const { pieces } = map;
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (pieces[middle]!.fromTick <= tick) low = middle;
    else high = middle - 1;
  }
  const piece = pieces[low];
  if (!piece) throw new RangeError(`clock of ${map.source} has no map`);
  return piece;
}

/** Session time of a tick. */
export function toSession(map: TimeMap, tick: number): SessionSeconds {
  const { fromTick, t0_s, rate_hz } = pieceAt(map, tick);
  return (t0_s + (tick - fromTick) / rate_hz) as SessionSeconds;
}

/** Session time of a host stamp; the session clock is the host's, so this is exact. */
export const hostToSession = (host_ns: HostNs): SessionSeconds => (host_ns / 1e9) as SessionSeconds;

/** The map of a clock that already is the session's, or that was put on it by whoever recorded it. */
export function identityMap(source: string, epoch: number, u_s = 0): TimeMap {
  return { source, epoch, pieces: [{ fromTick: 0, t0_s: 0 as SessionSeconds, rate_hz: 1, u_s, bound_s: Number.POSITIVE_INFINITY }] };
}

/** How far a clock's rate is from its nominal rate, in parts per million; positive when it runs fast. */
export const ratePpm = (piece: ClockPiece, nominal_hz: number): number => (piece.rate_hz / nominal_hz - 1) * 1e6;
