import { type DeviceFacts, fitDevice } from "../clock/device-clock.ts";
import { arrivalMap, logMap } from "../clock/log-clock.ts";
import type { SessionSeconds, TimeMap } from "../model/clock.ts";
import type { Fault } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { LoggedEvent } from "../model/parser.ts";
import type { Ping } from "../model/ping.ts";
import type { ClockBreak } from "../model/recording.ts";
import { forkBias } from "../wire/responder.ts";
import { DEVICE } from "./device-decoder.ts";
import { ChannelClocks, type Placed } from "./event-clocks.ts";

/** An event, the life of the device's clock it came in, and when the host heard of it, session time. */
export interface HeardEvent {
  readonly event: LoggedEvent;
  readonly channel: number;
  readonly heard_s: number;
}

/** Epochs of what the device's clock did not stamp: the host did, or the nth log of an engine. */
export const HOST_EPOCH = -1;
export const logEpoch = (log: number): number => -2 - log;

/** The device's time over a whole session: every stretch in which its clock ran on is an epoch of its own. */
export interface DeviceTime {
  readonly maps: readonly TimeMap[];
  readonly facts: readonly { readonly epoch: number; readonly facts: DeviceFacts }[];
  readonly faults: readonly Fault[];
  readonly breaks: readonly ClockBreak[];
  /** Events with the epoch of the clock that stamped them, in the order heard. */
  readonly events: readonly InferenceEvent[];
  /** Epoch of what was heard over the nth channel (from 0) at a session time. */
  epochAt(channel: number, heard_s: number): number;
}

/** Two estimators of one clock that differ by more than this are not both right. */
const LARGEST_DISAGREEMENT_S = 0.5e-3;

/** An event with its instant on the clock of the pongs. */
interface Stamped extends HeardEvent {
  readonly tick: number;
}

/**
 * Fits the device's clock, channel by channel: a channel that is opened again, after a reboot for one, has another
 * clock, and a clock that steps, or stops while the device sleeps, is another one afterwards. Events of other clocks are
 * put on that one where ties relate them, or on one of their own: of the host, of a log.
 *
 * @param pings and `heard` carry the number of their channel
 */
export function deviceTime(pings: readonly Ping[], heard: readonly HeardEvent[], clocks = new ChannelClocks(undefined)): DeviceTime {
  const placed = heard.map(({ event, channel }) => clocks.of(channel).place(event));
  const on = placed.map((each, k): Stamped | undefined => (each?.on === "pongs" ? { ...heard[k]!, tick: each.tick } : undefined));
  const stamped = on.filter((each) => each !== undefined);
  const channels = [...new Set([...pings.map(({ epoch }) => epoch), ...stamped.map(({ channel }) => channel)])].sort((a, b) => a - b);
  const fits = new ChannelFits(pings, stamped);
  for (const channel of channels) fits.add(channel);
  const { maps, facts, faults, breaks, epochs, epochAt } = fits;
  const tied_s = Math.max(0, ...placed.map((each) => (each?.on === "pongs" ? each.u_s : 0)));
  const biased = maps.map((map) => (clocks.of(fits.channelOf(map.epoch)).forks ? unbiased(map, facts) : map));
  const onDevice = tied_s > 0 ? biased.map((map) => widened(map, tied_s)) : biased;
  const others = otherMaps(placed, heard, { maps, facts });
  const events = heard.flatMap(({ event }, k): InferenceEvent[] => {
    const [at, mine] = [placed[k], on[k]];
    if (!at) return [];
    const epoch = at.on === "host" ? HOST_EPOCH : at.on === "log" ? logEpoch(at.log) : epochs.get(mine!)!;
    return [sourced(event, at.tick, epoch)];
  });
  const lost = placed.filter((each) => each === undefined).length;
  if (lost > 0) faults.push(untied(lost));
  return { maps: [...onDevice, ...others], facts, faults, breaks, events, epochAt };
}

/** The event without what has been resolved. */
export function sourced(event: LoggedEvent, tick: number, epoch: number): InferenceEvent {
  const { clock: _clock, stamps: _stamps, log: _log, host_ns: _arrived, ...rest } = event;
  return { ...rest, tick, source: DEVICE, epoch };
}

/** A map from stamps that were late, because each started a process: what it maps is late by as much. */
function unbiased(map: TimeMap, facts: DeviceTime["facts"]): TimeMap {
  const { bias_s, u_s } = forkBias(facts.find(({ epoch }) => epoch === map.epoch)?.facts.round_trip_min_s ?? 0);
  const pieces = map.pieces.map((piece) => ({ ...piece, t0_s: (piece.t0_s + bias_s) as SessionSeconds }));
  return widened({ ...map, pieces }, u_s);
}

/** What ties leave open concerns every time on the map. */
const widened = (map: TimeMap, u_s: number): TimeMap => ({
  ...map,
  pieces: map.pieces.map((piece) => ({ ...piece, u_s: Math.hypot(piece.u_s, u_s), bound_s: piece.bound_s + Math.sqrt(3) * u_s })),
});

/** Maps of stamps taken at arrival, and of every log. */
function otherMaps(
  placed: readonly (Placed | undefined)[],
  heard: readonly HeardEvent[],
  { maps, facts }: Pick<DeviceTime, "maps" | "facts">,
): TimeMap[] {
  const trips = facts.map((each) => each.facts.round_trip_min_s).filter((trip_s) => trip_s > 0);
  const roundTrip_s = trips.length > 0 ? Math.min(...trips) : undefined;
  const arrived = placed.some((each) => each?.on === "host");
  const found: TimeMap[] = arrived ? [arrivalMap({ source: DEVICE, epoch: HOST_EPOCH, roundTrip_s })] : [];
  const logs = new Map<number, { tick: number; heard_s: number }[]>();
  for (const [k, each] of placed.entries()) {
    if (each?.on !== "log") continue;
    const arrivals = logs.get(each.log) ?? [];
    logs.set(each.log, arrivals);
    arrivals.push({ tick: each.tick, heard_s: heard[k]!.heard_s });
  }
  for (const [log, arrivals] of logs) {
    const map = logMap(arrivals, { source: DEVICE, epoch: logEpoch(log), device: maps[0], roundTrip_s });
    if (map) found.push(map);
  }
  return found;
}

/** The clock of every channel, one after the other, and where each event belongs. */
class ChannelFits {
  readonly maps: TimeMap[] = [];
  readonly facts: { readonly epoch: number; readonly facts: DeviceFacts }[] = [];
  readonly faults: Fault[] = [];
  readonly breaks: ClockBreak[] = [];
  readonly epochs = new Map<Stamped, number>();
  readonly #pings: readonly Ping[];
  readonly #stamped: readonly Stamped[];
  readonly #starts: { readonly channel: number; readonly from_s: number }[] = [];
  #lastPing_s: number | undefined;

  constructor(pings: readonly Ping[], stamped: readonly Stamped[]) {
    this.#pings = pings;
    this.#stamped = stamped;
  }

  /** Epoch of what was heard over a channel at a session time. */
  readonly epochAt = (channel: number, heard_s: number): number =>
    this.#starts.findLastIndex((start) => start.channel === channel && heard_s >= start.from_s);

  channelOf(epoch: number): number {
    return this.#starts[epoch]!.channel;
  }

  add(channel: number): void {
    const asked = this.#pings.filter(({ epoch }) => epoch === channel).toSorted((a, b) => a.sent_s - b.sent_s);
    const said = this.#stamped.filter((each) => each.channel === channel);
    const epoch = this.#starts.length;
    const clock = fitDevice(asked, said, { source: DEVICE, epoch });
    this.#starts.push({ channel, from_s: Number.NEGATIVE_INFINITY }, ...clock.steps.map(({ to_s }) => ({ channel, from_s: to_s })));
    for (const [k, each] of said.entries()) this.epochs.set(each, clock.epochs[k]!);
    if (this.#lastPing_s !== undefined && asked[0]) this.breaks.push({ source: DEVICE, from_s: this.#lastPing_s, to_s: asked[0].sent_s });
    this.#lastPing_s = asked.at(-1)?.received_s ?? this.#lastPing_s;
    for (const { from_s, to_s, size_s } of clock.steps) {
      this.breaks.push({ source: DEVICE, from_s, to_s });
      this.faults.push({ source: DEVICE, code: "clock_step", count: 1, at_s: (from_s + to_s) / 2, detail: stepDetail(size_s) });
    }
    if (asked.length === 0) return;
    for (const [k, fit] of clock.segments.entries()) this.#segment(fit, epoch + k);
  }

  #segment(fit: ReturnType<typeof fitDevice>["segments"][number], epoch: number): void {
    this.facts.push({ epoch, facts: fit.facts });
    const at_s = Math.max(0, this.#starts[epoch]!.from_s);
    if (fit.map) this.maps.push(fit.map);
    else this.faults.push({ source: DEVICE, code: "clock_unmapped", count: 1, at_s, detail: fit.reason });
    if (fit.facts.cross_check_s > LARGEST_DISAGREEMENT_S) this.faults.push(disagreement(fit.facts));
  }
}

const untied = (count: number): Fault => ({
  source: DEVICE,
  code: "clock_unmapped",
  count,
  at_s: 0,
  detail: `${count} events are stamped by a clock that no tie relates to that of the pongs`,
});

const stepDetail = (size_s: number): string =>
  size_s > 0
    ? `the device's clock jumped ahead by ${size_s.toPrecision(4)} s`
    : `the device's clock went back, or stood still, by ${(-size_s).toPrecision(4)} s`;

const disagreement = ({ cross_check_s, cross_check_at_s }: DeviceFacts): Fault => ({
  source: DEVICE,
  code: "clock_disagreement",
  count: 1,
  at_s: cross_check_at_s,
  detail: `line and smoother of the device's clock differ by ${(cross_check_s * 1e3).toFixed(2)} ms`,
});
