import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { InfluxDB } from "influx";
import type { Database, Failure } from "./delivery.ts";
import type { InfluxOptions } from "./influx.ts";
import type { Point } from "./influx-points.ts";

/** Answers that are about the points, not about the server: the same points would meet them again. */
const REJECTED = new Set([400, 413, 422]);
const NOT_FOUND = 404;

const REASON_LENGTH = 200;

/** The package would take a failing host out of service for up to ten seconds, by timers nobody can end; when to try again is ours to say. */
const NO_BACKOFF = { getDelay: () => 0, next: () => NO_BACKOFF, reset: () => NO_BACKOFF };

/**
 * The `influx` package's client with an end to every call.
 *
 * The package's promises never settle when an answer breaks off after its headers, so each call has a time of its
 * own, after which its connection is closed.
 */
export class InfluxDatabase implements Database {
  readonly #client: InfluxDB;
  readonly #agent: HttpAgent;
  readonly #name: string;
  readonly #limit_ms: number;
  #aborted = false;
  #giveUp = (_reason: string): void => {};

  constructor(options: InfluxOptions, password: string | undefined, limit_ms: number) {
    const { host, port, protocol, path, database, username } = options;
    const settings = { keepAlive: true, maxSockets: 1 };
    this.#agent = protocol === "https" ? new HttpsAgent(settings) : new HttpAgent(settings);
    this.#name = database;
    this.#limit_ms = limit_ms;
    this.#client = new InfluxDB({
      host: host.includes(":") ? `[${host}]` : host,
      port,
      protocol,
      path,
      database,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      options: { agent: this.#agent },
      pool: { backoff: NO_BACKOFF, maxRetries: 0, requestTimeout: 2 * limit_ms },
    });
  }

  /** A database that does not exist is created and the write repeated; a user who may only write never needs to. */
  async write(points: readonly Point[]): Promise<Failure | undefined> {
    const write = () => this.#client.writePoints([...points], { precision: "n" });
    const first = await this.#call(write);
    if (statusOf(first) !== NOT_FOUND) return failureOf(first, points.length);
    const created = await this.#call(() => this.#client.createDatabase(this.#name));
    if (created) return { kind: "unavailable", points: 0, reason: `cannot create the database: ${reasonOf(created)}` };
    return failureOf(await this.#call(write), points.length);
  }

  abort(): void {
    this.#aborted = true;
    this.#giveUp("no answer before the sink had to close");
    this.#agent.destroy();
  }

  /** What the call failed with, or nothing. */
  #call(call: () => Promise<void>): Promise<unknown> {
    if (this.#aborted) return Promise.resolve(new Error("no answer before the sink had to close"));
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#giveUp(`no answer within ${this.#limit_ms} ms`), this.#limit_ms);
      this.#giveUp = (reason) => {
        resolve(new Error(reason));
        clearTimeout(timer);
        this.#agent.destroy();
      };
      const settle = (error?: unknown): void => {
        clearTimeout(timer);
        resolve(error);
      };
      Promise.resolve()
        .then(call)
        .then(() => settle(), settle);
    });
  }
}

/** The status of the answer an error of the package carries; its classes are not exported. */
function statusOf(error: unknown): number | undefined {
  return (error as { res?: { statusCode?: number } } | undefined)?.res?.statusCode;
}

function failureOf(error: unknown, sent: number): Failure | undefined {
  if (error === undefined) return undefined;
  const reason = reasonOf(error);
  if (!REJECTED.has(statusOf(error) ?? 0)) return { kind: "unavailable", points: 0, reason };
  return { kind: "rejected", points: rejected(String((error as Error).message), sent), reason };
}

/**
 * How many points of a batch InfluxDB 1.x did not keep, from the text of its answer.
 *
 * `partial write: … dropped=N` counts conflicts; lines it could not parse are listed one by one, then with a wrong
 * `dropped=0`. Both keep all other points. Any other refusal is of the whole batch.
 */
function rejected(answer: string, sent: number): number {
  const dropped = Number(/dropped=(\d+)/.exec(answer)?.[1] ?? 0);
  const unparsed = answer.split("unable to parse").length - 1;
  const points = dropped + unparsed;
  return points > 0 ? Math.min(points, sent) : sent;
}

/** One line that is the same for the same cause: without counts, quoted points and markup. */
function reasonOf(error: unknown): string {
  const { message = "", code = "" } = error as { message?: string; code?: string };
  const status = statusOf(error);
  if (status === undefined) return (message || code || String(error)).slice(0, REASON_LENGTH);
  const body = /"error":"(.*)"}/s.exec(message)?.[1] ?? "";
  const said = body
    .replace(/ dropped=\d+/, "")
    .replace(/unable to parse '.*'/, "unable to parse a point")
    .replace(/[\p{Cc}\\]+/gu, "");
  return `${status} ${said || "without a reason"}`.slice(0, REASON_LENGTH);
}
