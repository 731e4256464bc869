import type { SessionSeconds } from "../model/clock.ts";
import type { Fault } from "../model/errors.ts";
import type { Outcome } from "../model/event.ts";
import { defect, type TimedEvent } from "./timed.ts";

/** Tokens that appeared at one instant. */
export interface TokenInstant {
  readonly at_s: SessionSeconds;
  readonly tokens: number;
}

/** One request whose events are complete. */
export interface TimedRequest {
  readonly name: string;
  readonly start_s: SessionSeconds;
  readonly end_s: SessionSeconds;
  /** First output token and the prompt tokens prefilled by then; undefined when an engine gives totals only. */
  readonly first: TokenInstant | undefined;
  /** Output tokens after the first, in order of time. */
  readonly later: readonly TokenInstant[];
  /** All output tokens: counted from the events, or the engine's total where it gives nothing else. */
  readonly outputTokens: number;
  readonly correct: number | undefined;
  readonly flags: readonly string[];
}

/** What is known of a request while its events come in. */
export interface Draft {
  readonly start: TimedEvent;
  first?: TimedEvent;
  readonly tokens: TimedEvent[];
  /** Token events equal to one already there. */
  readonly repeated: TimedEvent[];
  /** Keys of all tokens; made when the first of them does not come after the one before. */
  seen?: Set<string>;
  latest: TimedEvent;
  late: number;
}

/** @returns whether it is a token not yet there; an empty chunk (0 tokens) is none */
export function addToken(draft: Draft, here: TimedEvent): boolean {
  const tokens = here.event.tokens ?? 1;
  if (!(tokens > 0)) return false;
  const last = draft.tokens.at(-1)?.event;
  const isLater = !last || (here.event.epoch === last.epoch && here.event.tick > last.tick);
  if (!isLater) draft.seen ??= new Set(draft.tokens.map(keyOf));
  const isNew = !draft.seen?.has(keyOf(here));
  (isNew ? draft.tokens : draft.repeated).push(here);
  draft.seen?.add(keyOf(here));
  return isNew;
}

const keyOf = ({ event: { epoch, tick, tokens = 1 } }: TimedEvent): string => `${epoch} ${tick} ${tokens}`;

/** Flags of a request, or of a unit, that did not end well: it has an energy, and does not count. */
export const OUTCOME_FLAGS: Readonly<Record<Exclude<Outcome, "ok">, string>> = {
  oom: "OUTCOME_OOM",
  crash: "OUTCOME_CRASH",
  refused: "OUTCOME_REFUSED",
  timeout: "OUTCOME_TIMEOUT",
};

/** @returns undefined when the request has neither a first token nor a total, unless it says that it came to neither */
export function complete(draft: Draft, end: TimedEvent, faults: Fault[]): TimedRequest | undefined {
  const { start, first, tokens } = draft;
  const { request, outputTokens: total, correct, outcome = "ok" } = end.event;
  if (!first && (tokens.length > 0 || total === undefined) && outcome === "ok") return undefined;
  const later = instants([...tokens, ...genuine(draft, end, faults)]);
  const counted = (first ? 1 : 0) + later.reduce((sum, instant) => sum + instant.tokens, 0);
  const isTotalsOnly = later.length === 0 && total !== undefined && total > counted;
  const flags: string[] = [];
  if (outcome !== "ok") flags.push(OUTCOME_FLAGS[outcome]);
  if (draft.late > 0) flags.push("EVENTS_OUT_OF_ORDER");
  if (isTotalsOnly) flags.push("TOTALS_ONLY");
  else if (total !== undefined && total !== counted) flags.push("TOKEN_COUNT_MISMATCH");
  return {
    name: request,
    start_s: start.at_s,
    end_s: end.at_s,
    first: first && { at_s: first.at_s, tokens: first.event.tokens ?? 0 },
    later,
    outputTokens: isTotalsOnly ? total : counted,
    correct,
    flags,
  };
}

/** Of the token events that look like others those which the engine's total proves to be tokens of their own: all or none. */
function genuine({ first, tokens, repeated }: Draft, end: TimedEvent, faults: Fault[]): TimedEvent[] {
  if (repeated.length === 0) return [];
  const { request, outputTokens: total } = end.event;
  const all = [...tokens, ...repeated].reduce((sum, { event }) => sum + (event.tokens ?? 1), first ? 1 : 0);
  if (total !== undefined && all <= total) return repeated;
  faults.push(defect(repeated[0]!, "duplicate_event", repeated.length, `request ${request}: token events came twice`));
  return [];
}

/** Token events in order of time, those of one instant put together. */
function instants(tokens: readonly TimedEvent[]): TokenInstant[] {
  const merged: TokenInstant[] = [];
  for (const { event, at_s } of tokens.toSorted((a, b) => a.at_s - b.at_s)) {
    const count = event.tokens ?? 1;
    const last = merged.at(-1);
    if (last?.at_s === at_s) merged[merged.length - 1] = { at_s, tokens: last.tokens + count };
    else merged.push({ at_s, tokens: count });
  }
  return merged;
}
