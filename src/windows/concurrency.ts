import type { SessionSeconds } from "../model/clock.ts";
import type { Window } from "../model/measurement.ts";
import type { TimedRequest } from "./draft.ts";
import type { Abandoned } from "./requests.ts";

/** Names spelled out in the name of an interval; of more only the number is given. */
const MOST_NAMES = 4;

/** Requests that had the device to themselves, and one interval for every group of requests that had not. */
export interface Apart {
  readonly alone: TimedRequest[];
  readonly together: Window[];
}

/**
 * Separates requests that overlap, from start to end, with any other or with one that never finished.
 *
 * @param finished in order of their start
 */
export function apart(finished: readonly TimedRequest[], abandoned: readonly Abandoned[]): Apart {
  const spans = [
    ...finished.map((request) => ({ request, start_s: request.start_s, until_s: Math.max(request.end_s, lastToken_s(request)) })),
    ...abandoned.map(({ start_s, end_s }) => ({ request: undefined, start_s, until_s: end_s })),
  ].toSorted((a, b) => a.start_s - b.start_s);
  const alone: TimedRequest[] = [];
  const together: Window[] = [];
  let group: typeof spans = [];
  let until_s = Number.NEGATIVE_INFINITY;
  const settle = (): void => {
    const members = group.flatMap(({ request }) => request ?? []);
    if (group.length === 1) alone.push(...members);
    else if (members.length > 0) together.push(interval(members));
  };
  for (const span of spans) {
    if (span.start_s >= until_s) {
      settle();
      group = [];
    }
    group.push(span);
    until_s = Math.max(until_s, span.until_s);
  }
  settle();
  return { alone, together };
}

/** From the first start to the last token of requests that overlap. */
function interval(members: readonly TimedRequest[]): Window {
  const names = members.map(({ name }) => name);
  const request = names.length <= MOST_NAMES ? names.join("+") : `${names[0]}+${names.length - 1} more`;
  return {
    phase: "request",
    request,
    start_s: members[0]!.start_s,
    end_s: Math.max(...members.map(lastToken_s)) as SessionSeconds,
    tokens: members.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
    flags: [...new Set(["CONCURRENT", ...members.flatMap(({ flags }) => flags)])],
  };
}

/** Where the request's own window ends: at its last token, or at its end where only totals are known. */
function lastToken_s({ first, later, end_s, flags }: TimedRequest): number {
  if (!first || flags.includes("TOTALS_ONLY")) return end_s;
  return Math.max(first.at_s, later.at(-1)?.at_s ?? first.at_s);
}
