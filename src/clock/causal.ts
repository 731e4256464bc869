import { type ClockPiece, type SessionSeconds, type TimeMap, toSession } from "../model/clock.ts";
import type { ClockSpec } from "../model/instrument.ts";
import type { Ping } from "../model/ping.ts";
import { ArrivalEnvelope, fitNewest } from "./arrival-map.ts";
import { BURST_GAP_S, midpoint_s, roundTrip_s } from "./ping-filter.ts";
import { fitPings } from "./ping-map.ts";
import type { PingFitOptions } from "./ping-windows.ts";
import { splitAtSteps } from "./steps.ts";

/**
 * In this time the map meets the newest fit if there is no newer one, seconds. A young map, whose first fits
 * knew little, takes its own age, but no less than the shorter one.
 */
const CONVERGENCE_S = 10;
const QUICKEST_S = 1;

/** A piece goes on while it agrees with the newest fit to this, or to a fraction of the uncertainty. */
const AGREEMENT_S = 1e-6;
const AGREEMENT_PART = 0.02;

/** Live values need the last hour at most; beyond this many pieces the oldest half is forgotten. */
const MOST_PIECES = 8192;

/**
 * A {@link TimeMap} that grows while the session runs, for values shown live.
 *
 * A tick that has been given a time keeps it: a new fit never moves the past. It bends the map from the newest tick
 * on, without a jump, until it meets the fit ten seconds later.
 */
export class CausalMap {
  readonly map: TimeMap;
  readonly #pieces: ClockPiece[] = [];
  #newest = Number.NEGATIVE_INFINITY;
  #born = 0;

  constructor(source: string, epoch: number) {
    this.map = { source, epoch, pieces: this.#pieces };
  }

  /** Session time of a tick, or undefined before the first fit. No later fit changes it. */
  at(tick: number): SessionSeconds | undefined {
    if (this.#pieces.length === 0) return undefined;
    this.#newest = Math.max(this.#newest, tick);
    return toSession(this.map, tick);
  }

  /** Takes a new fit into account, from `tick` (or the newest tick that already has a time) on. */
  steer(tick: number, fit: ClockPiece): void {
    this.#newest = Math.max(this.#newest, tick);
    const from = this.#newest;
    if (this.#pieces.length === 0) {
      this.#pieces.push(fit);
      this.#born = from;
      return;
    }
    const convergence_s = Math.min(CONVERGENCE_S, Math.max(QUICKEST_S, (from - this.#born) / fit.rate_hz));
    const meeting = from + convergence_s * fit.rate_hz;
    const off_s = Math.abs(along(fit, meeting) - toSession(this.map, meeting));
    if (off_s <= Math.max(AGREEMENT_S, AGREEMENT_PART * fit.u_s) && this.#pieces.at(-1)!.u_s <= 1.5 * fit.u_s) return;
    const now_s = toSession(this.map, from);
    // What was planned beyond the newest tick has not been given to anyone yet.
    while (this.#pieces.length > 1 && this.#pieces.at(-1)!.fromTick > from) this.#pieces.pop();
    // However wrong the map was, time goes on: at half to twice the device's pace.
    const span_s = Math.min(2 * convergence_s, Math.max(convergence_s / 2, along(fit, meeting) - now_s));
    const behind_s = Math.abs(now_s - along(fit, from));
    const bend = { u_s: Math.hypot(fit.u_s, behind_s), bound_s: fit.bound_s + behind_s };
    this.#pieces.push({ fromTick: from, t0_s: now_s, rate_hz: (meeting - from) / span_s, ...bend });
    const left_s = Math.abs(now_s + span_s - along(fit, meeting));
    const after = { u_s: Math.hypot(fit.u_s, left_s), bound_s: fit.bound_s + left_s };
    this.#pieces.push({ fromTick: meeting, t0_s: (now_s + span_s) as SessionSeconds, rate_hz: fit.rate_hz, ...after });
    if (this.#pieces.length > MOST_PIECES) this.#pieces.splice(0, MOST_PIECES / 2);
  }
}

const along = (piece: ClockPiece, tick: number): number => piece.t0_s + (tick - piece.fromTick) / piece.rate_hz;

/** While little is known, a fit is due whenever that has doubled. */
const isPowerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n));

/** Live map of a source known from arrivals: refitted once a second to the trailing minute. */
export class CausalArrivals {
  readonly envelope: ArrivalEnvelope;
  readonly #causal: CausalMap;
  readonly #spec: ClockSpec;
  #due_s = Number.NEGATIVE_INFINITY;

  constructor(spec: ClockSpec, source: string, epoch: number) {
    this.#spec = spec;
    this.envelope = new ArrivalEnvelope(spec.nominal_hz);
    this.#causal = new CausalMap(source, epoch);
  }

  get map(): TimeMap {
    return this.#causal.map;
  }

  /** @param tick newest tick that the host had at `host_s`; times are given to ticks up to it, not beyond */
  push(tick: number, host_s: number): void {
    this.envelope.push(tick, host_s);
    if (host_s < this.#due_s && !isPowerOfTwo(this.envelope.arrivals)) return;
    const { nominal_hz, latency_s, u_latency_s } = this.#spec;
    const alone: ClockPiece = {
      fromTick: tick,
      t0_s: (host_s - latency_s) as SessionSeconds,
      rate_hz: nominal_hz,
      u_s: u_latency_s,
      bound_s: Number.POSITIVE_INFINITY,
    };
    this.#causal.steer(tick, fitNewest(this.envelope, this.#spec)?.piece ?? alone);
    this.#due_s = host_s + 1;
  }
}

/** A live fit looks back as far as one window of the final one, and at no more pings than this. */
const TRAILING_S = 300;
const MOST_PINGS = 1024;

/**
 * Live map of a device that answers pings: refitted to the trailing 300 s while a burst of pings comes in.
 *
 * When the clock turns out to have stepped, which takes two bursts, or another channel was opened, a new map begins
 * under the next epoch; what was given a time by the old one keeps it.
 */
export class CausalPings {
  readonly #options: PingFitOptions;
  #causal: CausalMap;
  #channel: number | undefined;
  #recent: Ping[] = [];
  #inBurst = 0;

  /** @param epoch of the first map */
  constructor(source: string, epoch: number, options: PingFitOptions = {}) {
    this.#causal = new CausalMap(source, epoch);
    this.#options = options;
  }

  get map(): TimeMap {
    return this.#causal.map;
  }

  /** Number of the channel the map is for: the epoch its pings carry. */
  get channel(): number | undefined {
    return this.#channel;
  }

  /** Session time of a tick, or undefined before the first ping. No later ping changes it. */
  at(tick: number): SessionSeconds | undefined {
    return this.#causal.at(tick);
  }

  push(ping: Ping): void {
    if (this.#channel !== undefined && this.#channel !== ping.epoch) this.#restart([]);
    this.#channel = ping.epoch;
    const previous_s = this.#recent.at(-1)?.received_s ?? Number.NEGATIVE_INFINITY;
    this.#inBurst = ping.received_s - previous_s > BURST_GAP_S ? 1 : this.#inBurst + 1;
    this.#recent.push(ping);
    if (this.#recent.length > MOST_PINGS) this.#recent.splice(0, this.#recent.length - MOST_PINGS);
    if (!isPowerOfTwo(this.#inBurst)) return;
    this.#recent = this.#recent.filter((p) => p.received_s >= ping.received_s - TRAILING_S);
    const { segments, steps } = splitAtSteps(this.#recent);
    if (steps.length > 0) this.#restart(segments.at(-1)!);
    const { source, epoch } = this.map;
    const piece = fitPings(this.#recent, source, epoch, this.#options).map?.pieces.at(-1) ?? this.#shortest();
    this.#causal.steer(ping.deviceSent, piece);
  }

  #restart(recent: Ping[]): void {
    this.#causal = new CausalMap(this.map.source, this.map.epoch + 1);
    this.#recent = recent;
  }

  /** Until a line can be fitted: the quickest ping's word, and a clock of nominal rate. */
  #shortest(): ClockPiece {
    const best = this.#recent.reduce((a, b) => (roundTrip_s(b) < roundTrip_s(a) ? b : a));
    const bound_s = roundTrip_s(best) / 2;
    const t0_s = (best.deviceReceived + midpoint_s(best)) as SessionSeconds;
    return { fromTick: best.deviceReceived, t0_s, rate_hz: 1, u_s: bound_s / Math.sqrt(3), bound_s };
  }
}
