import { z } from "zod";
import { EVENT_TYPES, OUTCOMES } from "../model/event.ts";
import type { EventParserKind, LoggedEvent } from "../model/parser.ts";
import { parseJson } from "./json-text.ts";
import { given } from "./request-record.ts";
import { Rereads } from "./rereads.ts";
import { StatedEnds } from "./stated-ends.ts";

const Count = z.int().nonnegative();

/** Keys we do not know are somebody else's remarks and do no harm; a known key with a wrong value does. */
const Logged = z
  .object({
    type: z.enum(EVENT_TYPES),
    time_s: z.number(),
    request: z.string().min(1).optional(),
    tokens: Count.optional(),
    output_tokens: Count.optional(),
    cached_tokens: Count.optional(),
    outcome: z.enum(OUTCOMES).optional(),
    realtime_s: z.number().optional(),
    monotonic_s: z.number().optional(),
    boottime_s: z.number().optional(),
    unit: z.string().min(1).optional(),
    count: Count.optional(),
    model: z.string().optional(),
    phase: z.string().optional(),
    correct: z.number().nonnegative().optional(),
  })
  .refine((logged) => logged.request !== undefined || !NEEDS_REQUEST.has(logged.type), {
    path: ["request"],
    error: "expected the name of the request",
  });

/** Loads and units stand alone; everything else belongs to a request. */
const NEEDS_REQUEST: ReadonlySet<string> = new Set(EVENT_TYPES.filter((type) => !type.startsWith("load_") && !type.startsWith("unit_")));

/**
 * Reads one line of `events.jsonl`, or says what is wrong with it: `time_s: expected number, received string`.
 *
 * `time_s` becomes `tick`, so the clock ticks in seconds. A load or a unit without a request has the request "".
 */
export function parseEvent(text: string): { readonly event: LoggedEvent } | { readonly problem: string } {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { problem: "expected a JSON object" };
  const logged = Logged.safeParse(value);
  if (!logged.success) return { problem: logged.error.issues.map(describe).join("; ") };
  const { time_s, output_tokens, cached_tokens, realtime_s, monotonic_s, boottime_s, request = "", type, ...rest } = logged.data;
  const stamps = given({ realtime: realtime_s, monotonic: monotonic_s, boottime: boottime_s });
  const counts = given({ outputTokens: output_tokens, cachedTokens: cached_tokens });
  const event = { type, tick: time_s, request, ...given(rest), ...counts };
  return { event: Object.keys(stamps).length === 0 ? event : { ...event, stamps } };
}

/**
 * One JSON object per line, as in the generic import; what the simulated phone and our own probes print.
 *
 * A part that a followed file gives twice, because it was rotated or opened anew, counts once. Half a line is unread.
 */
export const jsonl: EventParserKind = {
  kind: "jsonl",
  summary: "one JSON object per line: type, time_s, request, tokens",
  open: () => {
    const rereads = new Rereads();
    const ends = new StatedEnds();
    return {
      push: (line) => {
        const parsed = parseEvent(line);
        if (!("event" in parsed)) return undefined;
        if (rereads.knows(line, parsed.event.tick)) return [];
        ends.hear(parsed.event);
        return [parsed.event];
      },
      sent: (line, host_ns) => ends.sent(line, host_ns),
      end: () => [],
    };
  },
};

const describe = ({ path, message }: z.core.$ZodIssue): string => `${path.join(".")}: ${message.replace(/^Invalid \w+: /, "")}`;
