import type { Patience, SinkOutcome } from "../model/sink.ts";
import { deliver, type Service } from "./delivery.ts";
import type { Outbox } from "./outbox.ts";
import { Parcel } from "./parcel.ts";
import { Refusals } from "./refusals.ts";

export interface Limits {
  readonly batch_points: number;
  /** How long points wait for company. */
  readonly linger_ms: number;
  /** Longest wait for one whole answer. */
  readonly request_ms: number;
  /** Pause after the first failure; it doubles up to `retryMost_ms`. */
  readonly retry_ms: number;
  readonly retryMost_ms: number;
}

/** 5000 points a batch is where InfluxDB 1.x is fastest. */
export const LIMITS: Limits = { batch_points: 5000, linger_ms: 500, request_ms: 5000, retry_ms: 500, retryMost_ms: 10_000 };

export interface Listener {
  /** Points that will not be delivered; the first of each reason at once, the rest when all is over. */
  readonly refused: (points: number, reason: string) => void;
  /** Delivery is held up; once per reason. */
  readonly trouble: (reason: string) => void;
}

/** Kinds of trouble told; a server with ever new ones is heard out but not repeated. */
const MOST_TROUBLES = 20;
/** Of points that come while older ones are being sent, so many of the newest are sent between. */
const MOST_FRESH = 1000;
const NONE: Patience = { within_ms: 0, fruitless_ms: 0 };

/**
 * Carries lines from an outbox to a service in the background, oldest first, one request at a time.
 *
 * Offering never waits and never throws, whatever the service does. What it could not say it has, it is sent again; a
 * point that arrives twice replaces itself. While old points are caught up on, the newest are sent between batches,
 * so that what is happening now is seen; they are sent again when their turn comes.
 */
export class Courier {
  readonly #outbox: Outbox;
  readonly #service: Service;
  readonly #limits: Limits;
  readonly #listener: Listener;
  readonly #refusals: Refusals;
  readonly #troubles = new Set<string>();
  readonly #loop: Promise<void>;
  #fresh: string[] = [];
  #batch: number;
  /** The latest of them; nothing once a batch has gone through. */
  #trouble: string | undefined;
  #patience: Patience | undefined;
  #closed: Promise<SinkOutcome> | undefined;
  #expired = false;
  #lingering = false;
  #sent = 0;
  #freshened_ms = 0;
  #fruitful_ms = 0;
  #away_ms = 0;
  #wake = (): void => {};
  #giveUp = (): void => {};

  constructor(outbox: Outbox, service: Service, limits: Limits, listener: Listener) {
    this.#outbox = outbox;
    this.#service = service;
    this.#limits = limits;
    this.#listener = listener;
    this.#batch = limits.batch_points;
    this.#refusals = new Refusals(listener.refused);
    this.#loop = this.#run();
  }

  offer(line: string): void {
    if (this.#closed) {
      this.refuse("offered after the sink was closed", 1);
      return;
    }
    this.#outbox.append(line);
    this.#fresh.push(line);
    if (this.#fresh.length >= 2 * MOST_FRESH) this.#fresh = this.#fresh.slice(-MOST_FRESH);
    if (this.#lingering && this.#outbox.waiting >= this.#batch) this.#wake();
  }

  /** Counts points that cannot be offered at all. */
  refuse(reason: string, points: number): void {
    this.#refusals.add(reason, points);
  }

  /** Sends what is left as long as `patience` lasts; without any the outbox is left as something that was broken off. */
  close(patience: Patience | undefined): Promise<SinkOutcome> {
    this.#closed ??= this.#finish(patience);
    return this.#closed;
  }

  async #finish(patience: Patience | undefined): Promise<SinkOutcome> {
    this.#patience = patience ?? NONE;
    this.#fruitful_ms = performance.now();
    const { within_ms, signal } = this.#patience;
    const expire = (): void => {
      this.#expired = true;
      this.#service.abort();
      this.#giveUp();
    };
    const deadline = Number.isFinite(within_ms) ? setTimeout(expire, within_ms) : undefined;
    if (signal?.aborted || this.#away_ms - performance.now() > within_ms) expire();
    signal?.addEventListener("abort", expire);
    this.#wake();
    await this.#loop;
    clearTimeout(deadline);
    signal?.removeEventListener("abort", expire);
    this.#outbox.close(patience !== undefined);
    const { waiting, lost, failure } = this.#outbox;
    if (lost > 0) this.refuse(`could not be kept for it: ${failure}`, lost);
    const { refused, reason } = this.#refusals.settle();
    const why = waiting > 0 ? (this.#trouble ?? "not all was sent in time") : undefined;
    const reasons = [reason, why].filter((each) => each !== undefined);
    return { sent: this.#sent, refused, waiting, ...(reasons.length > 0 ? { reason: reasons.join("; ") } : {}) };
  }

  async #run(): Promise<void> {
    let pause_ms = this.#limits.retry_ms;
    for (;;) {
      if (this.#outbox.waiting < this.#batch) await this.#linger();
      if (this.#expired) return;
      if (this.#outbox.waiting === 0 && this.#patience) return;
      if (this.#outbox.waiting === 0) continue;
      const held = await this.#send();
      if (!held) {
        pause_ms = this.#limits.retry_ms;
        await this.#sendFresh();
        continue;
      }
      if (this.#isHopeless(held.after_ms)) return;
      if (held.after_ms === undefined) await this.#pause(pause_ms);
      else await this.#keepAway(held.after_ms);
      pause_ms = Math.min(2 * pause_ms, this.#limits.retryMost_ms);
    }
  }

  /** One batch, as far as the service takes it. */
  async #send() {
    const parcel = this.#outbox.take(this.#batch);
    if (parcel.length === 0) return undefined;
    const { settled, rejected, expired, held, most } = await deliver(this.#service, parcel);
    if (most !== undefined) this.#batch = Math.max(1, Math.min(this.#batch, most));
    for (const reason of new Set(rejected.map((each) => each.reason))) {
      const refused = rejected.filter((each) => each.reason === reason).map((each) => each.line);
      this.#outbox.reject(refused, reason);
      this.refuse(reason, refused.length);
    }
    if (expired) this.refuse(expired.reason, expired.points);
    this.#sent += settled - rejected.length - (expired?.points ?? 0);
    if (settled > 0) {
      this.#outbox.settle(settled, rejected.length);
      this.#fruitful_ms = performance.now();
    }
    this.#trouble = held?.reason;
    if (held && !this.#expired && !this.#troubles.has(held.reason) && this.#troubles.size < MOST_TROUBLES) {
      this.#troubles.add(held.reason);
      this.#listener.trouble(held.reason);
    }
    return held;
  }

  /** The newest points before their turn; whatever becomes of them, it comes. */
  async #sendFresh(): Promise<void> {
    const isBehind = this.#outbox.waiting >= this.#batch;
    if (isBehind && performance.now() - this.#freshened_ms < 2 * this.#limits.linger_ms) return;
    const fresh = this.#fresh.slice(-Math.min(MOST_FRESH, this.#batch));
    this.#fresh = [];
    this.#freshened_ms = performance.now();
    if (fresh.length > 0 && isBehind && !this.#expired) await this.#service.write(Parcel.ofLines(fresh));
  }

  /** Closing, and another try would not come in time. */
  #isHopeless(after_ms = 0): boolean {
    if (!this.#patience) return this.#expired;
    const { within_ms, fruitless_ms } = this.#patience;
    return this.#expired || after_ms > within_ms || performance.now() - this.#fruitful_ms >= Math.max(fruitless_ms, after_ms);
  }

  async #linger(): Promise<void> {
    this.#lingering = true;
    await this.#pause(this.#limits.linger_ms);
    this.#lingering = false;
  }

  /** Waits, but when closing no longer than the service needs to come back. */
  #pause(ms: number): Promise<void> {
    if (this.#patience && this.#trouble === undefined) return Promise.resolve();
    return this.#wait(ms, true);
  }

  /** The service said how long it wants to be left alone: that is waited for whatever happens, until all is given up. */
  #keepAway(ms: number): Promise<void> {
    this.#away_ms = performance.now() + ms;
    return this.#wait(ms, false);
  }

  #wait(ms: number, wakes: boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => end(), ms);
      // A program that ends without closing its sinks is not held up by them.
      if (!this.#patience) timer.unref();
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#giveUp = end;
      this.#wake = wakes ? end : () => timer.ref();
    });
  }
}
