/**
 * Places what an engine timed by its own stopwatch on the clock of whoever heard of it.
 *
 * An engine says "this was 0.31 s after I began"; the host hears it late, by a latency that jitters but is never
 * negative. So every message gives an upper bound of the beginning, its arrival less its own time, and the least of them
 * (the lower envelope) is the best: it is late by the least latency of the request's messages and by nothing else. That
 * least latency stays unknown here; it belongs to the uncertainty of the link. The beginning is not before the request
 * was sent, and nothing is placed after the last message that told of it.
 */
export class Anchor {
  readonly #notBefore_s: number;
  #start_s = Number.POSITIVE_INFINITY;
  #heard_s = Number.NEGATIVE_INFINITY;

  /** @param notBefore_s when the request was sent, seconds on the listener's clock; left out when nobody knows */
  constructor(notBefore_s = Number.NEGATIVE_INFINITY) {
    this.#notBefore_s = notBefore_s;
  }

  /** A message came that tells of the instant `offset_s` after the beginning. */
  hear(arrival_s: number, offset_s: number): void {
    this.#start_s = Math.min(this.#start_s, arrival_s - offset_s);
    this.#heard_s = Math.max(this.#heard_s, arrival_s);
  }

  /** The beginning, seconds on the listener's clock; undefined when nothing tells. */
  get start_s(): number | undefined {
    const start_s = Number.isFinite(this.#start_s) ? Math.max(this.#start_s, this.#notBefore_s) : this.#notBefore_s;
    return Number.isFinite(start_s) ? start_s : undefined;
  }

  /** Where the instant `offset_s` after the beginning lies; call it when there is a beginning. */
  at(offset_s: number): number {
    const start_s = this.start_s ?? 0;
    return Math.max(start_s, Math.min(start_s + offset_s, Number.isFinite(this.#heard_s) ? this.#heard_s : start_s + offset_s));
  }
}
