import type { ClockPiece } from "../model/clock.ts";
import type { ClockSpec } from "../model/instrument.ts";
import { ArrivalEnvelope, fitNewest, TRAILING_BINS } from "./arrival-map.ts";

/** Why ticks and time of a source no longer belong together as before, and since when that may be so, session time. */
export interface Discontinuity {
  readonly reason: string;
  readonly since_s: number;
}

/** More ticks missing than this, and the count of what was lost is not trusted to keep time, seconds. */
const LONGEST_GAP_S = 1;

/** Earlier than possible by more than this and {@link TOLERANCE} of the mean lateness is no jitter, seconds. */
const EARLY_S = 1e-3;
const TOLERANCE = 0.5;

/**
 * Later than the envelope by more than this and {@link SLOWNESS} times the mean lateness, without exception, for
 * so long and so many arrivals: ticks were missed. A busy host is late too, but not every time.
 */
const LATE_S = 5e-3;
const SLOWNESS = 4;
const LATE_FOR_S = 5;
const LATE_ARRIVALS = 50;

/** The envelope is trusted to be low enough after so long and so many arrivals; then it is drawn anew every second. */
const ESTABLISHED_S = 10;
const ESTABLISHED_ARRIVALS = 50;
const REFIT_S = 1;

/**
 * Watches, as data come in, that a source's ticks keep their relation to time; a source that is known from arrivals
 * only has no other witness.
 *
 * Where the relation breaks - ticks run back, a second of them is missing, data arrive before they can have been
 * taken (the count ran ahead), or all of them late from one moment on (the count fell behind) - a new segment begins,
 * with an epoch and a map of its own. A break smaller than the jitter of the arrivals is not seen; it shows in the
 * map's uncertainty.
 */
export class Continuity {
  readonly #spec: ClockSpec;
  #segment: Segment | undefined;

  constructor(spec: ClockSpec) {
    this.#spec = spec;
  }

  /**
   * @param ticks first and last edge of a block
   * @param host_s when the host had it
   * @returns how it breaks with what came before; it is then the first of a new segment
   */
  push(ticks: readonly [number, number], host_s: number): Discontinuity | undefined {
    const found = this.#segment?.judge(ticks, host_s);
    if (found || !this.#segment) this.#segment = new Segment(this.#spec, host_s);
    this.#segment.add(ticks[1], host_s);
    return found;
  }
}

class Segment {
  readonly #spec: ClockSpec;
  readonly #envelope: ArrivalEnvelope;
  readonly #start_s: number;
  #line: { readonly piece: ClockPiece; readonly late_s: number } | undefined;
  #fitted_s: number;
  #lastTick = Number.NEGATIVE_INFINITY;
  #last_s: number;
  /** Arrivals in a row that came late, when the first of them came, and the one before it. */
  #late = { count: 0, first_s: 0, since_s: 0 };

  constructor(spec: ClockSpec, host_s: number) {
    this.#spec = spec;
    this.#envelope = new ArrivalEnvelope(spec.nominal_hz, TRAILING_BINS);
    this.#start_s = this.#fitted_s = this.#last_s = host_s;
  }

  judge([start, end]: readonly [number, number], host_s: number): Discontinuity | undefined {
    const { nominal_hz } = this.#spec;
    const since_s = this.#last_s;
    if (end < this.#lastTick) return { reason: `its ticks ran back by ${seconds((this.#lastTick - end) / nominal_hz)}`, since_s };
    const missing_s = (start - this.#lastTick) / nominal_hz;
    if (missing_s > LONGEST_GAP_S) return { reason: `${seconds(missing_s)} of samples are missing`, since_s };
    const off_s = this.#offOf(end, host_s);
    if (off_s === undefined) return undefined;
    const { late_s } = this.#line!;
    if (off_s < -(EARLY_S + TOLERANCE * late_s))
      return { reason: `data came ${seconds(-off_s)} before they can have been taken: its count ran ahead`, since_s };
    if (off_s < LATE_S + SLOWNESS * late_s) {
      this.#late.count = 0;
      return undefined;
    }
    if (this.#late.count++ === 0) this.#late = { count: 1, first_s: host_s, since_s };
    if (this.#late.count >= LATE_ARRIVALS && host_s - this.#late.first_s >= LATE_FOR_S)
      return { reason: `data came late, all of them, by ${seconds(off_s)} or so: its count fell behind`, since_s: this.#late.since_s };
    return undefined;
  }

  add(tick: number, host_s: number): void {
    this.#lastTick = tick;
    this.#last_s = host_s;
    this.#envelope.push(tick, host_s);
    const isEstablished = host_s - this.#start_s >= ESTABLISHED_S && this.#envelope.arrivals >= ESTABLISHED_ARRIVALS;
    // While arrivals are late the line stays, so that it does not follow them.
    if (!isEstablished || host_s - this.#fitted_s < REFIT_S || this.#late.count > 0) return;
    this.#line = fitNewest(this.#envelope, this.#spec);
    this.#fitted_s = host_s;
  }

  /** How much later than the envelope a tick came; undefined while there is none. */
  #offOf(tick: number, host_s: number): number | undefined {
    if (!this.#line) return undefined;
    const { fromTick, t0_s, rate_hz } = this.#line.piece;
    return host_s - this.#spec.latency_s - t0_s - (tick - fromTick) / rate_hz;
  }
}

const seconds = (value_s: number): string => (value_s < 0.1 ? `${(value_s * 1e3).toPrecision(3)} ms` : `${value_s.toPrecision(3)} s`);
