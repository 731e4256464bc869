import type { HostClock } from "../model/port.ts";
import { pingLine } from "../wire/ping.ts";

/** A burst ends after this many pings in a row without an answer: the device does not know them, or is gone. */
const MOST_UNANSWERED = 8;

/** A ping without an answer after this long is given up; the tape counts it. */
const PING_TIMEOUT_MS = 250;

/** Sends pings, each after the answer to the one before, and bursts one after the other. */
export class Pinger {
  readonly #send: (line: string) => Promise<void>;
  readonly #now: HostClock;
  readonly #awaited = new Map<number, (isAnswered: boolean) => void>();
  #sent = 0;
  #burst: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isGone = false;
  #hasAnswered = false;

  /** @param send puts a line on the tape and on its way; what it throws is for others to notice */
  constructor(send: (line: string) => Promise<void>, now: HostClock) {
    this.#send = send;
    this.#now = now;
  }

  /** Whoever is asked tells one line from another. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Ping `id` was answered, so the next one may go out. */
  answered(id: number): void {
    this.#hasAnswered = true;
    this.#awaited.get(id)?.(true);
  }

  /** Nobody will answer any more, or: somebody will again. */
  isGone(isGone: boolean): void {
    this.#isGone = isGone;
    if (isGone) for (const settle of this.#awaited.values()) settle(false);
  }

  /** Pings until the first answer. @returns false when there was none within `limit_ms` */
  async greet(limit_ms: number): Promise<boolean> {
    const until_ns = this.#now() + limit_ms * 1e6;
    while (!this.#isGone && this.#now() < until_ns) if (await this.#pingOnce()) return true;
    return false;
  }

  /**
   * `count` pings after the burst under way, or as many as are answered within `most_ms`. One burst waits at most:
   * whoever asks meanwhile has that one.
   */
  burst(count: number, most_ms = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#waiting > 0 && count <= this.#waiting) return this.#burst;
    this.#waiting = count;
    this.#burst = this.#burst.then(async () => {
      this.#waiting = 0;
      let unanswered = 0;
      const until_ns = this.#now() + most_ms * 1e6;
      for (let i = 0; i < count && this.#now() < until_ns && unanswered < MOST_UNANSWERED && !this.#isGone; i++)
        unanswered = (await this.#pingOnce()) ? 0 : unanswered + 1;
    });
    return this.#burst;
  }

  /** @returns whether it was answered in time */
  async #pingOnce(): Promise<boolean> {
    const id = this.#sent++;
    const answer = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), PING_TIMEOUT_MS);
      this.#awaited.set(id, (isAnswered) => {
        clearTimeout(timer);
        resolve(isAnswered);
      });
    });
    // A channel that is gone shows elsewhere; the ping is on the tape as one without an answer.
    await this.#send(pingLine(id)).catch(() => undefined);
    const isAnswered = await answer;
    this.#awaited.delete(id);
    return isAnswered;
  }
}
