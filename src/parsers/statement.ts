import { z } from "zod";
import { OUTCOMES, type Outcome } from "../model/event.ts";
import type { LoggedEvent } from "../model/parser.ts";
import { parseJson } from "./json-text.ts";

const Begin = z.looseObject({
  request: z.string().min(1),
  begin: z.enum(["completion", "chat", "process", "bench"]),
  prompt_tokens: z.int().nonnegative().optional(),
  output_tokens: z.int().nonnegative().optional(),
  argv: z.array(z.string()).optional(),
});
const End = z.looseObject({ request: z.string().min(1), end: z.enum(OUTCOMES) });
const Load = z.looseObject({ load: z.enum(["begin", "end"]), model: z.string().optional() });

/** A request, as a driver states it just before it goes out or a process is started for it. */
export interface Begun {
  readonly request: string;
  readonly kind: "completion" | "chat" | "process" | "bench";
  /** When it was stated, seconds of the session: nothing of the request happened before. */
  readonly at_s: number;
  /** Prompt tokens as the driver counted them; not what an engine prefilled. */
  readonly promptTokens?: number | undefined;
  /** The limit of output tokens asked for. */
  readonly outputTokens?: number | undefined;
  readonly argv: readonly string[];
}

export type Statement =
  | { readonly type: "begin"; readonly begun: Begun }
  | { readonly type: "end"; readonly request: string; readonly outcome: Outcome; readonly at_s: number }
  | { readonly type: "load"; readonly event: LoggedEvent };

/** Reads what a driver states before it sends or starts something; undefined for any other line that went out. */
export function parseStatement(line: string, host_ns: number): Statement | undefined {
  const at_s = host_ns / 1e9;
  const value = parseJson(line);
  const begin = Begin.safeParse(value);
  if (begin.success) {
    const { request, begin: kind, prompt_tokens: promptTokens, output_tokens: outputTokens, argv = [] } = begin.data;
    return { type: "begin", begun: { request, kind, at_s, promptTokens, outputTokens, argv } };
  }
  const end = End.safeParse(value);
  if (end.success) return { type: "end", request: end.data.request, outcome: end.data.end, at_s };
  const load = Load.safeParse(value);
  if (!load.success) return undefined;
  const { model } = load.data;
  const type = load.data.load === "begin" ? "load_start" : "load_end";
  return { type: "load", event: { type, request: "", tick: at_s, clock: "host", ...(model === undefined ? {} : { model }) } };
}

/** A request of which only the driver knows how it ended. */
export function endedBadly({ request, at_s }: Begun, outcome: Outcome, end_s: number): readonly LoggedEvent[] {
  const shared = { request, clock: "host" } as const;
  return [
    { ...shared, type: "request_start", tick: at_s },
    { ...shared, type: "request_end", tick: Math.max(at_s, end_s), outcome },
  ];
}
