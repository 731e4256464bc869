import type { Outcome } from "../model/event.ts";
import type { LoggedEvent } from "../model/parser.ts";
import { Anchor } from "./anchor.ts";
import type { Answer, Timings } from "./llama-timings.ts";
import { type Appeared, eventsOf } from "./request-record.ts";

/** What the messages of one request of llama-server have said so far. */
export class LlamaServerRequest {
  readonly name: string;
  readonly #sent_s: number | undefined;
  readonly #anchor: Anchor;
  readonly #later: Appeared[] = [];
  /** Output tokens whose time the server gave. */
  #timed = 0;
  /** Output tokens by the latest message, and when the first message came that brought any. */
  #counted = 0;
  #first_s: number | undefined;
  #heard_s: number | undefined;
  #timings: Timings | undefined;
  #error: Outcome | undefined;

  /** @param sent_s when the request was about to go out, seconds of the session; left out when nobody stated it */
  constructor(name: string, sent_s?: number) {
    this.name = name;
    this.#sent_s = sent_s;
    this.#anchor = new Anchor(sent_s);
  }

  /** @returns false when the message cannot be of this request */
  hear({ timings, predicted, progress_s, hasOutput, isTotal, error }: Answer, at_s: number): boolean {
    if (timings && !this.#goesOn(timings)) return false;
    this.#heard_s = at_s;
    this.#error ??= error;
    this.#counted = Math.max(this.#counted, predicted ?? 0, timings?.predicted_n ?? 0);
    if (hasOutput) this.#first_s ??= at_s;
    if (timings) this.#time(timings, at_s, isTotal);
    else if (progress_s !== undefined) this.#anchor.hear(at_s, progress_s);
    return true;
  }

  /** A stopwatch does not run back, and the prefill's is read once. */
  #goesOn({ prompt_ms, predicted_n, predicted_ms }: Timings): boolean {
    const before = this.#timings;
    if (!before) return true;
    const isDecoding = before.predicted_n > 0;
    return predicted_n >= before.predicted_n && predicted_ms >= before.predicted_ms && (!isDecoding || prompt_ms === before.prompt_ms);
  }

  #time(timings: Timings, at_s: number, isTotal: boolean): void {
    const { prompt_ms, predicted_n, predicted_ms } = timings;
    const offset_s = (prompt_ms + predicted_ms) / 1e3;
    this.#timings = timings;
    this.#anchor.hear(at_s, offset_s);
    // The totals at the end give the time of the tokens withheld until then, but not of a whole stream without times.
    if (isTotal && this.#timed === 0) return;
    if (this.#timed === 0 && predicted_n > 0) this.#timed = 1;
    if (predicted_n > this.#timed) this.#later.push({ offset_s, tokens: predicted_n - this.#timed });
    this.#timed = Math.max(this.#timed, predicted_n);
  }

  /**
   * @param at_s when the end was heard of
   * @param logged what the server's log says of the request, for answers without `timings`
   */
  end(at_s: number, outcome: Outcome, logged: Timings | undefined): readonly LoggedEvent[] {
    if (!this.#timings && logged && outcome === "ok") this.#time(logged, at_s, true);
    if (!this.#timings) return this.#endUntimed(at_s, outcome);
    const { prompt_ms, predicted_ms, predicted_n } = this.#timings;
    const isDone = outcome === "ok";
    if (!isDone) this.#anchor.hear(at_s, (prompt_ms + predicted_ms) / 1e3);
    const outputTokens = isDone ? Math.max(predicted_n, this.#counted) : undefined;
    // What failed kept the device busy until somebody knew of it.
    const end_s = isDone ? (prompt_ms + predicted_ms) / 1e3 : Math.max(0, at_s - (this.#anchor.start_s ?? at_s));
    return this.#events(outputTokens, end_s, outcome);
  }

  /** Nothing ended it, unless the server said that it failed. */
  abandon(): readonly LoggedEvent[] {
    if (this.#error) return this.end(this.#heard_s ?? 0, this.#error, undefined);
    return this.#timings || this.#sent_s !== undefined ? this.#events(undefined, undefined) : [];
  }

  #events(outputTokens: number | undefined, end_s: number | undefined, outcome?: Outcome): readonly LoggedEvent[] {
    const timings = this.#timings;
    const hasToken = timings !== undefined && timings.predicted_n > 0;
    if (hasToken && this.#timed === 0 && this.#first_s !== undefined) this.#anchor.hear(this.#first_s, timings.prompt_ms / 1e3);
    return eventsOf({
      request: this.name,
      anchor: this.#anchor,
      clock: "host",
      prefill_s: hasToken ? timings.prompt_ms / 1e3 : undefined,
      promptTokens: timings?.prompt_n,
      cachedTokens: timings?.cache_n,
      later: this.#later,
      outputTokens,
      end_s,
      outcome,
    });
  }

  /** The server timed nothing: arrivals alone tell, and a total where the server counted. */
  #endUntimed(at_s: number, outcome: Outcome): readonly LoggedEvent[] {
    const start_s = this.#sent_s ?? this.#first_s ?? this.#heard_s;
    if (start_s === undefined) return [];
    const shared = { request: this.name, clock: "host" } as const;
    const first = this.#first_s === undefined ? [] : [{ ...shared, type: "first_token" as const, tick: this.#first_s }];
    const total = this.#counted > 0 ? { outputTokens: this.#counted } : {};
    return [
      { ...shared, type: "request_start", tick: start_s },
      ...first,
      { ...shared, type: "request_end", tick: Math.max(start_s, at_s), ...total, ...(outcome === "ok" ? {} : { outcome }) },
    ];
  }
}
