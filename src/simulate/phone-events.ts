import type { InferenceEvent } from "../model/event.ts";

/** One prompt and its answer: instants in seconds since the workload began. */
export interface TrueRequest {
  readonly request: string;
  readonly promptTokens: number;
  readonly start_s: number;
  /** Instants of the output tokens; the first one ends the prefill. */
  readonly token_s: readonly number[];
  readonly end_s: number;
}

/** Something the phone does, at its true instant: seconds since the workload began. */
export interface PhoneEvent {
  readonly type: InferenceEvent["type"];
  readonly true_s: number;
  /** Absent for the load. */
  readonly request?: string;
  readonly tokens?: number;
}

/** What the phone logs, in order of time. */
export function phoneEvents(loaded_s: number, requests: readonly TrueRequest[]): PhoneEvent[] {
  return [{ type: "load_start", true_s: 0 }, { type: "load_end", true_s: loaded_s }, ...requests.flatMap(eventsOf)];
}

function eventsOf({ request, promptTokens, start_s, token_s, end_s }: TrueRequest): PhoneEvent[] {
  const [first_s, ...later_s] = token_s;
  return [
    { type: "request_start", request, true_s: start_s },
    { type: "first_token", request, true_s: first_s!, tokens: promptTokens },
    ...later_s.map((true_s): PhoneEvent => ({ type: "token", request, true_s, tokens: 1 })),
    { type: "request_end", request, true_s: end_s },
  ];
}

/** The event as a line of `events.jsonl`. @param time_s its instant on the clock of the device that logs it */
export const eventLine = ({ type, request, tokens }: PhoneEvent, time_s: number): string =>
  JSON.stringify({ type, request, time_s, tokens });
