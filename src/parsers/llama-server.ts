import type { EventParser, EventParserKind, LoggedEvent } from "../model/parser.ts";
import { parseJson } from "./json-text.ts";
import { LlamaServerLog } from "./llama-server-log.ts";
import { LlamaServerRequest } from "./llama-server-request.ts";
import { readAnswer } from "./llama-timings.ts";
import { type Begun, parseStatement } from "./statement.ts";

/** What else comes over the channel: metrics, headers of an answer, blank lines between messages, comments of a stream. */
const HARMLESS = /^\s*$|^(?:#|:|llamacpp:|event:|id:|retry:)|^HTTP\/[\d.]+ \d{3}/;
const HEADER =
  /^(?:Server|Date|Connection|Keep-Alive|Transfer-Encoding|X-Accel-Buffering|Process-Start-Time-Unix|(?:Access-Control|Content)-[\w-]+):/i;

/**
 * Reads llama-server: its answers line by line, streamed or whole (`/completion`, `/v1/completions`,
 * `/v1/chat/completions`), and its own log.
 *
 * Tokens are counted by the server (`timings.predicted_n`, `tokens_predicted`), never by messages: incomplete characters
 * are withheld, so that one message can bring several tokens, and the last few may come with none. Times are the
 * server's own durations, placed on the host's clock by {@link Anchor}; a request's events come when it ends. With
 * `timings_per_token` every token has its time; without, only the first token and the end have, and the request's total
 * is all that is given beside.
 *
 * Requests come one after another. Its log counts as a source of its own only while no request was stated and no answer
 * came over the channel; beside them it serves when an answer lacks its `timings`.
 */
class LlamaServerParser implements EventParser {
  readonly #log = new LlamaServerLog();
  #request: LlamaServerRequest | undefined;
  #answered = 0;
  /** A driver states every request, so that an answer without one is the rest of a request that was given up. */
  #isStated = false;

  push(line: string, host_ns: number): readonly LoggedEvent[] | undefined {
    const at_s = host_ns / 1e9;
    const data = /^(?:data|error): ?(.*)$/.exec(line)?.[1];
    if (data?.trim() === "[DONE]") return this.#finish(at_s);
    const text = data ?? line;
    if (data !== undefined || /^\s*[[{]/.test(text)) return this.#answer(parseJson(text), at_s, data !== undefined);
    const logged = this.#log.push(line, at_s);
    if (logged) return logged;
    return HARMLESS.test(line) || HEADER.test(line) ? [] : undefined;
  }

  sent(line: string, host_ns: number): readonly LoggedEvent[] {
    const statement = parseStatement(line, host_ns);
    if (!statement) return [];
    if (statement.type === "load") {
      this.#log.loadsAreStated = true;
      return [statement.event];
    }
    if (statement.type === "begin") return this.#begin(statement.begun);
    const { request, outcome, at_s } = statement;
    if (this.#request?.name === request) return this.#close(this.#request.end(at_s, outcome, this.#log.totals));
    return [];
  }

  end(): readonly LoggedEvent[] {
    return [...this.#abandon(), ...this.#log.end()];
  }

  #begin(begun: Begun): readonly LoggedEvent[] {
    const before = this.#abandon();
    this.#log.isBeside = true;
    this.#log.totals = undefined;
    this.#isStated = true;
    this.#request = new LlamaServerRequest(begun.request, begun.at_s);
    return before;
  }

  #answer(value: unknown, at_s: number, isStreamed: boolean): readonly LoggedEvent[] | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    const answer = readAnswer(value, isStreamed);
    if (!answer) return isOther(value) ? [] : undefined;
    this.#log.isBeside = true;
    if (this.#isStated && !this.#request) return undefined;
    this.#request ??= new LlamaServerRequest(answer.name ?? `request ${++this.#answered}`);
    if (!this.#request.hear(answer, at_s)) return undefined;
    return answer.isLast && answer.error === undefined ? this.#finish(at_s) : [];
  }

  #finish(at_s: number): readonly LoggedEvent[] {
    return this.#close(this.#request?.end(at_s, "ok", this.#log.totals) ?? []);
  }

  #close(events: readonly LoggedEvent[]): readonly LoggedEvent[] {
    this.#request = undefined;
    return events;
  }

  /** A request that nothing ended: what is known of it, without an end unless the server said that it failed. */
  #abandon(): readonly LoggedEvent[] {
    return this.#close(this.#request?.abandon() ?? []);
  }
}

/** `/health`, `/slots`, `/props` and other objects of the server that tell of no request; a completion we cannot read is none. */
const isOther = (value: object): boolean => Array.isArray(value) || !["timings", "tokens_predicted", "choices"].some((key) => key in value);

export const llamaServer: EventParserKind = {
  kind: "llama-server",
  summary: "llama.cpp's server: its answers (streamed or whole) and its log",
  open: () => new LlamaServerParser(),
};
