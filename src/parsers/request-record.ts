import type { Outcome } from "../model/event.ts";
import type { EventClock, LoggedEvent } from "../model/parser.ts";
import type { Anchor } from "./anchor.ts";

/** Output tokens that appeared together, and how long after the request's beginning. */
export interface Appeared {
  readonly offset_s: number;
  readonly tokens: number;
}

/** One request by an engine's own stopwatch. */
export interface RequestRecord {
  readonly request: string;
  readonly anchor: Anchor;
  readonly clock: EventClock;
  readonly log?: number | undefined;
  /** From its beginning to the first output token; undefined when none came. */
  readonly prefill_s: number | undefined;
  /** Prompt tokens prefilled, and those found in the cache. */
  readonly promptTokens: number | undefined;
  readonly cachedTokens?: number | undefined;
  /** Output tokens after the first, as far as the engine says when. */
  readonly later: readonly Appeared[];
  /** All output tokens, as the engine totals them. */
  readonly outputTokens: number | undefined;
  /** From its beginning to its end; undefined when it has not ended. */
  readonly end_s: number | undefined;
  readonly outcome?: Outcome | undefined;
}

/** The events of a request, placed by its anchor; none when nothing tells when it began. */
export function eventsOf(record: RequestRecord): readonly LoggedEvent[] {
  const { anchor, request, clock, log, prefill_s, promptTokens, cachedTokens, later, outputTokens, end_s, outcome } = record;
  const start_s = anchor.start_s;
  if (start_s === undefined) return [];
  const shared = { request, clock, ...given({ log }) };
  const events: LoggedEvent[] = [{ ...shared, type: "request_start", tick: start_s }];
  if (prefill_s !== undefined) {
    const counts = given({ tokens: promptTokens, cachedTokens });
    events.push({ ...shared, type: "first_token", tick: anchor.at(prefill_s), ...counts });
    for (const { offset_s, tokens } of later) events.push({ ...shared, type: "token", tick: anchor.at(offset_s), tokens });
  }
  if (end_s === undefined) return events;
  const how = outcome === "ok" ? undefined : outcome;
  return [...events, { ...shared, type: "request_end", tick: anchor.at(end_s), ...given({ outputTokens, outcome: how }) }];
}

/** The keys that have a value. */
export const given = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
