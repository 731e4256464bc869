/** What a device under test can say it did. Terms are those of LLM serving: prefill, decode, token. */
export const EVENT_TYPES = [
  "load_start",
  "load_end",
  "request_start",
  "first_token",
  "token",
  "request_end",
  "unit_start",
  "unit_end",
] as const;

/**
 * How a request ended. `oom`: the engine had not the memory; `crash`: it ended by itself; `refused`: it would not do it
 * (a prompt longer than its context); `timeout`: it was given up. Each is a result, not an error.
 */
export const OUTCOMES = ["ok", "oom", "crash", "refused", "timeout"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * Something the device under test says it did, stamped on the clock of whoever said it.
 *
 * `tokens` counts what the event completes: prompt tokens prefilled at `first_token` (the first output token
 * appears at that instant), output tokens at `token`. `outputTokens` is the total an engine gives at `request_end`.
 */
export interface InferenceEvent {
  readonly type: (typeof EVENT_TYPES)[number];
  /** The source whose clock `tick` counts on. */
  readonly source: string;
  readonly epoch: number;
  readonly tick: number;
  /** Names the request, the unit's group or the load; events of one request share it. */
  readonly request: string;
  readonly tokens?: number;
  readonly outputTokens?: number;
  /** For `first_token`: prompt tokens that were in the cache already, so that they are not among `tokens`. */
  readonly cachedTokens?: number;
  /** For `request_end`, where it did not end well. */
  readonly outcome?: Outcome;
  /** For `unit_*`: what is counted (`image`, `inference`) and how many were done. */
  readonly unit?: string;
  readonly count?: number;
  readonly model?: string;
  /** For `unit_*` inside a request or a larger unit: the name of the stage it is. `warm-up`: not measured. */
  readonly phase?: string;
  readonly correct?: number;
}
