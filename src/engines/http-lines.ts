import type { HostNs } from "../model/clock.ts";
import type { Line } from "../model/transport.ts";

/** Longest line of an answer, in UTF-16 units; the last one of a stream repeats the prompt. Longer ones are cut. */
const LINE_LENGTH = 4 << 20;
const CUT_MARK = " … cut: longer than 4 Mi characters";

/** The body of an HTTP answer line by line, each with the stamp of the chunk that ended it; what follows the last newline is a line, too. */
export async function* bodyLines(response: Response, now: () => HostNs): AsyncGenerator<Line, void, undefined> {
  if (!response.body) return;
  const decoder = new TextDecoder();
  let held = "";
  let isCut = false;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    const host_ns = now();
    const pieces = decoder.decode(chunk, { stream: true }).split("\n");
    for (const [at, piece] of pieces.entries()) {
      const isEnded = at < pieces.length - 1;
      if (!isCut) held += piece;
      if (held.length > LINE_LENGTH) {
        yield { text: held.slice(0, LINE_LENGTH) + CUT_MARK, host_ns };
        [held, isCut] = ["", true];
      }
      if (!isEnded) continue;
      if (!isCut) yield { text: held.replace(/\r$/, ""), host_ns };
      [held, isCut] = ["", false];
    }
  }
  held += decoder.decode();
  if (held && !isCut) yield { text: held, host_ns: now() };
}
