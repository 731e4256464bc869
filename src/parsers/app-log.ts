import type { Outcome } from "../model/event.ts";
import type { EventParser, LoggedEvent } from "../model/parser.ts";
import { Anchor } from "./anchor.ts";
import { type RecordedConversation, type RecordedQuestion, type RuntimeStats, readConversation, readStats } from "./app-records.ts";
import { readStamp, rising, type Stamp } from "./app-stamps.ts";
import { JsonDocuments } from "./json-text.ts";
import { eventsOf, given } from "./request-record.ts";
import { type Begun, parseStatement } from "./statement.ts";

/** A prompt by the events of its tokens, seconds since 1970 on the phone's clock. */
export interface AppRequest {
  readonly name: string;
  readonly start_s: number;
  readonly first_s: number | undefined;
  /** Output tokens after the first, rising. */
  readonly later_s: readonly number[];
  readonly end_s: number;
  readonly promptTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
}

/** How one app's events are read. */
export interface AppFormat {
  /** Reads a line of a file that only this app writes; undefined when it is none. */
  readonly row?: (line: string) => readonly number[] | undefined;
  /** @param stamps rising; @param rows what `row` read, in order */
  readonly requests: (stamps: readonly Stamp[], rows: readonly (readonly number[])[]) => readonly AppRequest[];
  /** Keys around a model's load. */
  readonly load: RegExp;
}

/** Events of an hour of tokens; of more the first are kept, and the rest is counted as unread. */
const MOST_STAMPS = 1 << 20;
const MOST_RECORDS = 100_000;

/**
 * Reads the files a chat app leaves after a conversation, as their lines come.
 *
 * Their lines are in no order, so that the events come when the request's end is stated or the channel closes, on the
 * clock `realtime`. A prompt that events and records both tell of takes its tokens from the events, its counts, start and end
 * from the records; one with records alone has totals.
 */
export class AppLogParser implements EventParser {
  readonly #format: AppFormat;
  readonly #documents = new JsonDocuments();
  #stamps: Stamp[] = [];
  #rows: (readonly number[])[] = [];
  #conversations: RecordedConversation[] = [];
  #begun: Begun | undefined;
  #told = 0;

  constructor(format: AppFormat) {
    this.#format = format;
  }

  push(line: string, host_ns: number): readonly LoggedEvent[] | undefined {
    const stamp = readStamp(line);
    if (stamp) return this.#stamps.length < MOST_STAMPS ? this.#keep(() => this.#stamps.push(stamp)) : undefined;
    const row = this.#format.row?.(line);
    if (row) return this.#rows.length < MOST_RECORDS ? this.#keep(() => row.length > 0 && this.#rows.push(row)) : undefined;
    if (line.trim() === "" || RATES.test(line)) return [];
    const values = this.#documents.push(line);
    if (!values) return undefined;
    const read = values.map((value) => this.#value(value, host_ns / 1e9));
    return read.length > 0 && read.every((events) => events === undefined) ? undefined : read.flatMap((events) => events ?? []);
  }

  sent(line: string, host_ns: number): readonly LoggedEvent[] {
    const statement = parseStatement(line, host_ns);
    if (!statement) return [];
    if (statement.type === "load") return [statement.event];
    if (statement.type === "end") return this.#begun?.request === statement.request ? this.#end(statement.outcome, statement.at_s) : [];
    const before = this.#flush(undefined);
    this.#begun = statement.begun;
    this.#told = 0;
    return before;
  }

  end(): readonly LoggedEvent[] {
    return this.#flush(undefined);
  }

  #keep(add: () => unknown): readonly LoggedEvent[] {
    add();
    return [];
  }

  #value(value: unknown, at_s: number): readonly LoggedEvent[] | undefined {
    const conversation = readConversation(value);
    if (conversation) {
      if (this.#conversations.length >= MOST_RECORDS) return undefined;
      return this.#keep(() => this.#conversations.push(conversation));
    }
    const stats = readStats(value);
    return stats && this.#placed(stats, at_s);
  }

  /** Statistics that were printed after an answer: their durations end where they came. */
  #placed({ promptTokens, prefill_s, outputTokens, decode_s }: RuntimeStats, at_s: number): readonly LoggedEvent[] {
    if (prefill_s === undefined || decode_s === undefined) return [];
    const anchor = new Anchor(this.#begun?.at_s);
    const end_s = prefill_s + decode_s;
    anchor.hear(at_s, end_s);
    const request = this.#begun?.request ?? `request ${this.#told + 1}`;
    this.#told++;
    return eventsOf({ request, anchor, clock: "host", prefill_s, promptTokens, later: [], outputTokens, end_s });
  }

  #end(outcome: Outcome, at_s: number): readonly LoggedEvent[] {
    const begun = this.#begun;
    const events = this.#flush(outcome === "ok" ? undefined : outcome);
    this.#begun = undefined;
    if (!begun || this.#told > 0 || events.some(({ type }) => type === "request_end")) return events;
    const shared = { request: begun.request, clock: "host" } as const;
    const how = given({ outcome: outcome === "ok" ? undefined : outcome });
    return [
      ...events,
      { ...shared, type: "request_start", tick: begun.at_s },
      { ...shared, type: "request_end", tick: Math.max(begun.at_s, at_s), ...how },
    ];
  }

  #flush(outcome: Outcome | undefined): readonly LoggedEvent[] {
    const stamps = rising(this.#stamps);
    const questions = this.#conversations.flatMap((each, c) =>
      each.questions.map((question, q) => ({ ...question, name: `conv${c} prompt${q}` })),
    );
    const requests = joined(this.#format.requests(stamps, this.#rows), questions);
    const loads = loadsOf(stamps, this.#conversations, this.#format.load);
    this.#stamps = [];
    this.#rows = [];
    this.#conversations = [];
    const only = requests.length === 1 ? this.#begun?.request : undefined;
    const last = requests.length - 1;
    return [
      ...loads,
      ...requests.flatMap((each, k) => requestEvents({ ...each, name: only ?? each.name }, k === last ? outcome : undefined)),
    ];
  }
}

/** MLC's short form has no counts, so that it tells nothing that could be placed. */
const RATES = /^\s*prefill: [\d.]+ tok\/s, decode: [\d.]+ tok\/s\s*$/;
/** Records and events are stamped a little apart. */
const SLACK_S = 0.05;

/** Requests with what the records say of them, and those that only records tell of. */
function joined(
  requests: readonly AppRequest[],
  questions: readonly (RecordedQuestion & { readonly name: string })[],
): readonly AppRequest[] {
  const left = new Set(questions);
  const both = requests.map((request): AppRequest => {
    const at_s = request.first_s ?? request.start_s;
    const question = questions.find((each) => left.has(each) && at_s >= each.start_s - SLACK_S && at_s <= each.end_s + SLACK_S);
    if (!question) return request;
    left.delete(question);
    return {
      ...request,
      start_s: Math.min(request.start_s, question.start_s),
      end_s: Math.max(request.end_s, question.end_s),
      promptTokens: request.promptTokens ?? question.promptTokens,
      outputTokens: request.outputTokens ?? question.outputTokens,
    };
  });
  const alone = [...left].map((each): AppRequest => {
    const first_s = each.prefill_s === undefined ? undefined : Math.min(each.end_s, each.start_s + each.prefill_s);
    return { ...each, first_s, later_s: [] };
  });
  return [...both, ...alone].toSorted((a, b) => a.start_s - b.start_s);
}

function requestEvents(request: AppRequest, outcome: Outcome | undefined): readonly LoggedEvent[] {
  const { name, start_s, first_s, later_s, end_s, promptTokens, outputTokens } = request;
  const shared = { request: name, clock: "realtime" } as const;
  const first =
    first_s === undefined ? [] : [{ ...shared, type: "first_token" as const, tick: first_s, ...given({ tokens: promptTokens }) }];
  return [
    { ...shared, type: "request_start", tick: start_s },
    ...first,
    ...later_s.map((tick) => ({ ...shared, type: "token" as const, tick, tokens: 1 })),
    { ...shared, type: "request_end", tick: end_s, ...given({ outputTokens: outcome ? undefined : outputTokens, outcome }) },
  ];
}

/** Loads by their events; by the records where no event tells. */
function loadsOf(stamps: readonly Stamp[], conversations: readonly RecordedConversation[], pattern: RegExp): readonly LoggedEvent[] {
  const model = conversations.find((each) => each.model !== undefined)?.model;
  const load = (edge: string, tick: number): LoggedEvent => ({
    type: edge === "start" ? "load_start" : "load_end",
    request: "",
    tick,
    clock: "realtime",
    ...(edge === "start" ? given({ model }) : {}),
  });
  const stamped = stamps.filter(({ key }) => pattern.test(key)).map(({ key, at_s }) => load(key.endsWith("start") ? "start" : "end", at_s));
  if (stamped.length > 0) return stamped;
  return conversations.flatMap((each) => (each.load ? [load("start", each.load.start_s), load("end", each.load.end_s)] : []));
}
