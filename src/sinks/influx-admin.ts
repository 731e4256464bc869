import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { InfluxDB } from "influx";
import { type InfluxOptions, portOf } from "./influx-options.ts";

/** The package would take a failing host out of service for up to ten seconds, by timers nobody can end; when to try again is ours to say. */
const NO_BACKOFF = { getDelay: () => 0, next: () => NO_BACKOFF, reset: () => NO_BACKOFF };

/**
 * Administration of an InfluxDB 1.x by the `influx` package, with an end to every call: the package's promises never
 * settle when an answer breaks off after its headers.
 */
export class InfluxAdmin {
  readonly #client: InfluxDB;
  readonly #agent: HttpAgent;
  readonly #database: string;
  readonly #limit_ms: number;
  #giveUp = (_reason: string): void => {};

  constructor(options: InfluxOptions, password: string | undefined, limit_ms: number) {
    const { host, protocol, path, database, username } = options;
    const settings = { keepAlive: false, maxSockets: 1 };
    this.#agent = protocol === "https" ? new HttpsAgent(settings) : new HttpAgent(settings);
    this.#database = database;
    this.#limit_ms = limit_ms;
    this.#client = new InfluxDB({
      ...{ host: host.includes(":") ? `[${host}]` : host, port: portOf(options), protocol, path, database },
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      options: { agent: this.#agent },
      pool: { backoff: NO_BACKOFF, maxRetries: 0, requestTimeout: 2 * limit_ms },
    });
  }

  /** @returns what it failed with, or nothing */
  createDatabase(): Promise<string | undefined> {
    return this.#call(() => this.#client.createDatabase(this.#database));
  }

  /** A statement that changes something. @returns what it failed with, or nothing */
  change(statement: string): Promise<string | undefined> {
    return this.#call(async () => {
      const answer: unknown = await this.#client.queryRaw(statement, { database: this.#database, method: "POST" });
      const { results = [] } = answer as { results?: readonly { error?: string }[] };
      const error = results.find((each) => each.error !== undefined)?.error;
      if (error !== undefined) throw new Error(error);
    });
  }

  abort(): void {
    this.#giveUp("no answer before the end");
    this.#agent.destroy();
  }

  #call(call: () => Promise<void>): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#giveUp(`no answer within ${this.#limit_ms} ms`), this.#limit_ms);
      const settle = (reason?: string): void => {
        clearTimeout(timer);
        resolve(reason);
      };
      this.#giveUp = (reason) => {
        settle(reason);
        this.#agent.destroy();
      };
      Promise.resolve()
        .then(call)
        .then(
          () => settle(),
          (error: unknown) => settle(reasonOf(error)),
        );
    });
  }
}

/** The server's words where there are any: the package hides them behind a status line, or gives a code alone. */
function reasonOf(error: unknown): string {
  const { message = "", code = "", res } = error as { message?: string; code?: string; res?: { statusCode?: number } };
  const said = /"error":"(.*?)"}/s.exec(message)?.[1];
  const text = said ?? (message || code || String(error));
  return (res?.statusCode === undefined ? text : `${res.statusCode} ${text}`).replace(/\p{Cc}+/gu, " ").slice(0, 200);
}
