import type { EventParserKind } from "../model/parser.ts";
import { AppLogParser, type AppRequest } from "./app-log.ts";
import { type Stamp, spansOf } from "./app-stamps.ts";

/**
 * Prompts of MLC Chat, on Android and iOS.
 *
 * The first output token is sampled in the prefill, so that it appears at its end. Decodes are numbered through the
 * conversation, so that each belongs to the prefill that ended before it began. Android stamps whole milliseconds: two
 * tokens can share one.
 */
function requests(stamps: readonly Stamp[]): readonly AppRequest[] {
  const prefills = spansOf(stamps, /^prefill\.(\d+)\.(start|end)$/);
  const decodes = spansOf(stamps, /^generate\.decode\.(\d+)\.(start|end)$/);
  let conversation = 0;
  let next = 0;
  return prefills.map(({ index, start_s, end_s }, k) => {
    if (k > 0 && index <= prefills[k - 1]!.index) conversation++;
    const following_s = prefills[k + 1]?.end_s ?? Number.POSITIVE_INFINITY;
    const later_s: number[] = [];
    // Those before the first prefill are of a prompt whose file begins in its middle.
    while (next < decodes.length && decodes[next]!.start_s < end_s && k === 0) next++;
    for (; next < decodes.length && decodes[next]!.start_s < following_s; next++) later_s.push(decodes[next]!.end_s);
    return { name: `conv${conversation} prompt${index}`, start_s, first_s: end_s, later_s, end_s: Math.max(end_s, ...later_s.slice(-1)) };
  });
}

export const mlc: EventParserKind = {
  kind: "mlc",
  summary: "MLC Chat: its events (key,nanoseconds), its records and its runtime statistics",
  open: () => new AppLogParser({ requests, load: /^reload\.\d+\.(?:start|end)$/ }),
};
