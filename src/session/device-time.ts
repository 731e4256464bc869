import { type DeviceFacts, fitDevice } from "../clock/device-clock.ts";
import type { TimeMap } from "../model/clock.ts";
import type { Fault } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { Ping } from "../model/ping.ts";
import type { ClockBreak } from "../model/recording.ts";
import { DEVICE } from "./device-decoder.ts";

/** An event and when the host heard of it, session time. */
export interface HeardEvent {
  readonly event: InferenceEvent;
  readonly heard_s: number;
}

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

/**
 * Fits the device's clock, channel by channel: a channel that is opened again, after a reboot for one, has another
 * clock, and a clock that steps, or stops while the device sleeps, is another one afterwards.
 *
 * @param pings and `heard` carry the number of their channel as epoch
 */
export function deviceTime(pings: readonly Ping[], heard: readonly HeardEvent[]): DeviceTime {
  const channels = [...new Set([...pings, ...heard.map(({ event }) => event)].map(({ epoch }) => epoch))].sort((a, b) => a - b);
  const [maps, facts, faults, breaks]: [TimeMap[], { epoch: number; facts: DeviceFacts }[], Fault[], ClockBreak[]] = [[], [], [], []];
  const starts: { channel: number; from_s: number }[] = [];
  const events: InferenceEvent[] = [];
  let lastPing_s: number | undefined;
  for (const channel of channels) {
    const asked = pings.filter(({ epoch }) => epoch === channel).toSorted((a, b) => a.sent_s - b.sent_s);
    const said = heard.filter(({ event }) => event.epoch === channel);
    const ticks = said.map(({ event, heard_s }) => ({ tick: event.tick, heard_s }));
    const epoch = starts.length;
    const clock = fitDevice(asked, ticks, { source: DEVICE, epoch });
    starts.push({ channel, from_s: Number.NEGATIVE_INFINITY }, ...clock.steps.map(({ to_s }) => ({ channel, from_s: to_s })));
    for (const [k, { event }] of said.entries()) events.push({ ...event, epoch: clock.epochs[k]! });
    if (lastPing_s !== undefined && asked[0]) breaks.push({ source: DEVICE, from_s: lastPing_s, to_s: asked[0].sent_s });
    lastPing_s = asked.at(-1)?.received_s ?? lastPing_s;
    for (const { from_s, to_s, size_s } of clock.steps) {
      breaks.push({ source: DEVICE, from_s, to_s });
      faults.push({ source: DEVICE, code: "clock_step", count: 1, at_s: (from_s + to_s) / 2, detail: stepDetail(size_s) });
    }
    clock.segments.forEach((fit, k) => {
      if (asked.length === 0) return;
      facts.push({ epoch: epoch + k, facts: fit.facts });
      if (fit.map) maps.push(fit.map);
      else
        faults.push({ source: DEVICE, code: "clock_unmapped", count: 1, at_s: Math.max(0, starts[epoch + k]!.from_s), detail: fit.reason });
      if (fit.facts.cross_check_s > LARGEST_DISAGREEMENT_S) faults.push(disagreement(fit.facts));
    });
  }
  const epochAt = (channel: number, heard_s: number): number =>
    starts.findLastIndex((start) => start.channel === channel && heard_s >= start.from_s);
  return { maps, facts, faults, breaks, events, epochAt };
}

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
