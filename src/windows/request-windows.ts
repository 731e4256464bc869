import type { SessionSeconds } from "../model/clock.ts";
import type { Phase, Window } from "../model/measurement.ts";
import type { TimedRequest, TokenInstant } from "./draft.ts";

/**
 * The windows of one request that had the device to itself.
 *
 * A prefill may have no length (a cached prompt). Other windows without length are left out: a decode of no further
 * token, a tail that ends with the last token, the time between tokens that one log line gave the same stamp. With
 * totals only, the decode ends with the request, there are no token windows and no tail.
 */
export function requestWindows(request: TimedRequest): Window[] {
  const { name, start_s, end_s, first, later, outputTokens, correct, flags } = request;
  const whole = (to: SessionSeconds): Window => ({
    phase: "request",
    request: name,
    start_s,
    end_s: to,
    tokens: outputTokens,
    ...(correct === undefined ? {} : { correct }),
    flags,
  });
  if (!first) return [whole(end_s)].filter(hasLength);
  const isTotalsOnly = flags.includes("TOTALS_ONLY");
  const after = later.filter(({ at_s }) => at_s >= first.at_s);
  const last_s = after.at(-1)?.at_s ?? (isTotalsOnly ? end_s : first.at_s);
  const part = (phase: Phase, from: SessionSeconds, to: SessionSeconds, tokens: number): Window => ({
    phase,
    request: name,
    start_s: from,
    end_s: to,
    tokens,
    flags,
  });
  const prefill = first.at_s >= start_s ? [part("prefill", start_s, first.at_s, first.tokens)] : [];
  const parts = [
    part("decode", first.at_s, last_s, outputTokens - 1),
    ...gaps(first, after).map(({ from, to, index }): Window => {
      const [phase, start_s, end_s, tokens] = ["token" as const, from.at_s, to.at_s, to.tokens];
      return { phase, request: name, start_s, end_s, tokens, flags, index };
    }),
    part("tail", last_s, end_s, 0),
  ];
  return [...[whole(last_s)].filter(hasLength), ...prefill, ...parts.filter(hasLength)];
}

const hasLength = ({ start_s, end_s }: Window): boolean => end_s > start_s;

interface Gap {
  readonly from: TokenInstant;
  readonly to: TokenInstant;
  readonly index: number;
}

/** From one token to the next. A window's tokens are those that appear at its end; its index counts those before it. */
function gaps(first: TokenInstant, later: readonly TokenInstant[]): Gap[] {
  let index = 0;
  return later.map((to, k) => {
    const from = later[k - 1] ?? first;
    if (k > 0) index += from.tokens;
    return { from, to, index };
  });
}
