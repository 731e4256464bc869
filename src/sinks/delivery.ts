import type { Point } from "./influx-points.ts";
import { PointQueue } from "./point-queue.ts";
import { Refusals } from "./refusals.ts";

/** Why a batch was not taken, or not all of it. */
export interface Failure {
  /** `rejected`: those points are gone and the others were kept. `unavailable`: none is known to be kept, try again. */
  readonly kind: "rejected" | "unavailable";
  /** Points rejected; 0 when unavailable. */
  readonly points: number;
  readonly reason: string;
}

export interface Database {
  /** Never rejects and always settles. */
  write(points: readonly Point[]): Promise<Failure | undefined>;
  /** Ends a write under way at once: it resolves as `unavailable`. */
  abort(): void;
}

export interface Limits {
  readonly queue_bytes: number;
  readonly batch_points: number;
  /** How long points wait for company. */
  readonly linger_ms: number;
  /** Longest wait for one answer. */
  readonly request_ms: number;
  /** Pause after the first failure; it doubles up to `retryMost_ms`. */
  readonly retry_ms: number;
  readonly retryMost_ms: number;
  readonly close_ms: number;
}

/** 8 MiB hold about half an hour of 10 Hz means; 5000 points a batch is where InfluxDB 1.x is fastest. */
export const LIMITS: Limits = {
  queue_bytes: 8 * 2 ** 20,
  batch_points: 5000,
  linger_ms: 500,
  request_ms: 5000,
  retry_ms: 500,
  retryMost_ms: 10_000,
  close_ms: 5000,
};

export interface Listener {
  /** Points that will not be delivered; the first of each reason at once, the rest when all is over. */
  readonly refused: (points: number, reason: string) => void;
  /** Delivery is held up; once per reason. */
  readonly trouble: (reason: string) => void;
}

/** Kinds of trouble told; a server with ever new ones is heard out but not repeated. */
const MOST_TROUBLES = 20;

/**
 * Carries points to a database in the background, one batch at a time.
 *
 * Offering never waits and never throws, whatever the database does. What the database could not say it has, it is
 * sent again; a point that arrives twice replaces itself.
 */
export class Delivery {
  readonly #database: Database;
  readonly #limits: Limits;
  readonly #listener: Listener;
  readonly #queue: PointQueue;
  readonly #refusals: Refusals;
  readonly #troubles = new Set<string>();
  /** The latest of them; nothing once a batch has gone through. */
  #trouble: string | undefined;
  readonly #loop: Promise<void>;
  #closed: Promise<{ refused: number; reason?: string }> | undefined;
  #expired = false;
  #lingering = false;
  #wake = (): void => {};

  constructor(database: Database, limits: Limits, listener: Listener) {
    this.#database = database;
    this.#limits = limits;
    this.#listener = listener;
    this.#refusals = new Refusals(listener.refused);
    this.#queue = new PointQueue(limits.queue_bytes);
    this.#loop = this.#deliver();
  }

  offer(point: Point): void {
    if (this.#closed) {
      this.refuse("offered after the sink was closed", 1);
      return;
    }
    const dropped = this.#queue.push(point);
    if (dropped > 0) this.refuse(`queue of ${this.#limits.queue_bytes} bytes full, oldest dropped`, dropped);
    if (this.#lingering && this.#queue.length >= this.#limits.batch_points) this.#wake();
  }

  /** Counts points that cannot be offered at all. */
  refuse(reason: string, points: number): void {
    this.#refusals.add(reason, points);
  }

  /** Sends what is left, for at most `close_ms`. A database that fails once more now is not waited for. */
  close(): Promise<{ refused: number; reason?: string }> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<{ refused: number; reason?: string }> {
    const deadline = setTimeout(() => {
      this.#expired = true;
      this.#database.abort();
    }, this.#limits.close_ms);
    this.#wake();
    await this.#loop;
    clearTimeout(deadline);
    if (this.#queue.length > 0) this.refuse(this.#trouble ?? `not sent within ${this.#limits.close_ms} ms`, this.#queue.length);
    return this.#refusals.settle();
  }

  async #deliver(): Promise<void> {
    let pause_ms = this.#limits.retry_ms;
    while (!this.#expired) {
      if (this.#queue.length < this.#limits.batch_points) await this.#linger();
      const last = this.#closed !== undefined;
      if (last && this.#queue.length === 0) return;
      const failure = this.#queue.length > 0 ? await this.#send() : undefined;
      if (failure?.kind !== "unavailable") {
        pause_ms = this.#limits.retry_ms;
        continue;
      }
      if (last) return;
      await this.#pause(pause_ms);
      pause_ms = Math.min(2 * pause_ms, this.#limits.retryMost_ms);
    }
  }

  /** One batch, once. */
  async #send(): Promise<Failure | undefined> {
    const failure = await this.#database.write(this.#queue.take(this.#limits.batch_points));
    if (failure?.kind === "unavailable") {
      this.#queue.putBack();
      this.#trouble = failure.reason;
      if (!this.#troubles.has(failure.reason) && this.#troubles.size < MOST_TROUBLES) {
        this.#troubles.add(failure.reason);
        this.#listener.trouble(failure.reason);
      }
    } else {
      this.#trouble = undefined;
      this.#queue.settle();
      if (failure) this.refuse(failure.reason, failure.points);
    }
    return failure;
  }

  async #linger(): Promise<void> {
    this.#lingering = true;
    await this.#pause(this.#limits.linger_ms);
    this.#lingering = false;
  }

  /** Waits, but not when closing. */
  #pause(ms: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      // A program that ends without closing its sinks is not held up by them.
      const timer = setTimeout(resolve, ms).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
