import { type TimeMap, toSession } from "../model/clock.ts";
import type { Fault } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { Window } from "../model/measurement.ts";
import type { ClockBreak, RecordingLapse } from "../model/recording.ts";
import type { RequestOutcome } from "../model/results.ts";
import { apart } from "./concurrency.ts";
import type { TimedRequest } from "./draft.ts";
import { pairs } from "./pairs.ts";
import { requestWindows } from "./request-windows.ts";
import { type Abandoned, requests } from "./requests.ts";
import type { TimedEvent } from "./timed.ts";
import { withoutWarmUp } from "./warm-up.ts";

/** What events say when they are read together: the intervals they enclose, and what is wrong with them. */
export interface Phases {
  readonly windows: Window[];
  readonly faults: Fault[];
  /** Requests that did not end well, in the order in which they ended. */
  readonly outcomes: RequestOutcome[];
}

/** Places that make a window that touches them invalid. */
export interface Broken {
  readonly breaks?: readonly ClockBreak[];
  readonly lapses?: readonly RecordingLapse[];
}

/**
 * Cuts the session into the phases of {@link Window}, in order of their start.
 *
 * Events of one source are taken in the order given (the order in which they came), whatever their epochs; sources
 * are independent of each other. What cannot be cut is a fault, never an exception:
 *
 * - a start without an end, an end or a token without a start, a request without its first token:
 *   `unpaired_event`, no windows for that request, load or unit; a request still open at the end of the session too;
 * - the same event twice (same type, request, time and tokens): `duplicate_event`, the second is dropped. A log with
 *   coarse stamps may give two true tokens one time; they are kept when the total at `request_end` counts them;
 * - stamps that run back: `late_event`, the tokens are put in order of time and the request is flagged
 *   `EVENTS_OUT_OF_ORDER`; a phase that would end before it starts is left out;
 * - events whose clock has no map: `clock_unmapped`, they are left out.
 *
 * A request that says it did not end well is no fault: its windows are flagged `OUTCOME_OOM` and so on.
 *
 * Requests of a warm-up, named `warmup-…` or of that phase, are left out.
 *
 * A window that touches a place where a clock broke is flagged `CLOCK_STEP`: nobody knows how long it was. One that touches
 * a place where the tape could not be kept is flagged `TAPE_LAPSE`.
 *
 * Requests that overlap are flagged `CONCURRENT` and share one `request` window from the first start to the last
 * token, with all their tokens: which of them spent a joule cannot be known. Its name joins theirs with `+`. A name
 * used again gets `#2`, `#3`…, so that every request of a session has a name of its own.
 */
export function phases(events: readonly InferenceEvent[], maps: readonly TimeMap[], broken: Broken = {}): Phases {
  const faults: Fault[] = [];
  const enclosed: Window[][] = [];
  const finished: TimedRequest[] = [];
  const abandoned: Abandoned[] = [];
  const names = new Map<string, number>();
  const rename = (name: string): string => {
    const uses = (names.get(name) ?? 0) + 1;
    names.set(name, uses);
    return uses === 1 ? name : `${name}#${uses}`;
  };
  const measured = withoutWarmUp(events);
  for (const group of bySource(measured)) {
    const timed = onSession(group, maps, faults);
    enclosed.push(pairs(timed, faults));
    const read = requests(timed, faults);
    for (const request of read.finished) finished.push(request);
    for (const request of read.abandoned) abandoned.push(request);
  }
  const named = finished.toSorted((a, b) => a.start_s - b.start_s).map((request) => ({ ...request, name: rename(request.name) }));
  const { alone, together } = apart(named, abandoned);
  const windows = [...enclosed.flat(), ...alone.flatMap(requestWindows), ...together].map((window) => flagged(window, broken));
  const outcomes = measured.flatMap(({ type, request, outcome = "ok" }): RequestOutcome[] =>
    (type === "request_end" || type === "unit_end") && outcome !== "ok" ? [{ request, outcome }] : [],
  );
  return { windows: windows.toSorted((a, b) => a.start_s - b.start_s), faults: faults.toSorted((a, b) => a.at_s - b.at_s), outcomes };
}

function bySource(events: readonly InferenceEvent[]): InferenceEvent[][] {
  const groups = new Map<string, InferenceEvent[]>();
  for (const event of events) {
    const group = groups.get(event.source);
    if (group) group.push(event);
    else groups.set(event.source, [event]);
  }
  return [...groups.values()];
}

function flagged(window: Window, { breaks = [], lapses = [] }: Broken): Window {
  const touches = ({ from_s, to_s }: RecordingLapse): boolean => window.start_s <= to_s && window.end_s >= from_s;
  const flags = [...(breaks.some(touches) ? ["CLOCK_STEP"] : []), ...(lapses.some(touches) ? ["TAPE_LAPSE"] : [])];
  return flags.length > 0 ? { ...window, flags: [...window.flags, ...flags] } : window;
}

function onSession(group: readonly InferenceEvent[], maps: readonly TimeMap[], faults: Fault[]): TimedEvent[] {
  const { source } = group[0]!;
  const byEpoch = new Map(maps.filter((each) => each.source === source && each.pieces.length > 0).map((each) => [each.epoch, each]));
  const unplaced = new Map<number, number>();
  const timed = group.flatMap((event): TimedEvent[] => {
    const map = byEpoch.get(event.epoch);
    if (map) return [{ event, at_s: toSession(map, event.tick) }];
    unplaced.set(event.epoch, (unplaced.get(event.epoch) ?? 0) + 1);
    return [];
  });
  for (const [epoch, count] of unplaced) {
    const detail = `${count} events of epoch ${epoch} cannot be placed in the session`;
    faults.push({ source, code: "clock_unmapped", count: 1, at_s: 0, detail });
  }
  return timed;
}
