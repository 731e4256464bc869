import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { SecondsSeen } from "../model/health.ts";
import type { Answer, Service } from "./delivery.ts";
import { InfluxAdmin } from "./influx-admin.ts";
import { answerOf } from "./influx-answer.ts";
import { authorization, type Kept, writePath } from "./influx-flavor.ts";
import { HttpServer } from "./influx-http.ts";
import { type InfluxOptions, portOf } from "./influx-options.ts";
import { keptOf } from "./influx-schema.ts";
import { Parcel } from "./parcel.ts";

/** A shorter body is no quicker compressed. */
const LEAST_GZIP_BYTES = 1024;
const squeeze = promisify(gzip);

/** Writes lines to an InfluxDB of any flavor. */
export class InfluxDatabase implements Service {
  readonly #options: InfluxOptions;
  readonly #server: HttpServer;
  readonly #clock: HttpServer;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #admin: InfluxAdmin | undefined;

  constructor(options: InfluxOptions, secret: string | undefined, limit_ms: number) {
    const { host, protocol, flavor } = options;
    this.#options = options;
    const where = { host, port: portOf(options), protocol };
    this.#server = new HttpServer(where, limit_ms);
    this.#clock = new HttpServer(where, limit_ms);
    this.#headers = { ...authorization(options, secret), "Content-Type": "text/plain; charset=utf-8" };
    this.#admin = flavor === 1 ? new InfluxAdmin(options, secret, limit_ms) : undefined;
  }

  /** Lines of the two retentions go to their places, one after the other. */
  async write(parcel: Parcel): Promise<Answer> {
    if (!this.#options.retention) return this.#writeTo("results", parcel.bytes);
    const answers: Answer[] = [];
    for (const kept of ["raw", "results"] as const) {
      const part = Parcel.ofLines(parcel.lines.filter((line) => keptOf(line) === kept));
      if (part.length > 0) answers.push(await this.#writeTo(kept, part.bytes));
      if (answers.at(-1)?.kind === "later") break;
    }
    return worstOf(answers);
  }

  /** Asks for the server's time, beside whatever is being written. Never rejects. */
  async clock(): Promise<SecondsSeen | undefined> {
    const sent_s = Date.now() / 1000;
    const reply = await this.#clock.call({ method: "GET", path: "/ping", headers: this.#headers });
    // Our clock shows whole milliseconds, too.
    const received_s = (Date.now() + 1) / 1000;
    return typeof reply === "string" || reply.date_s === undefined ? undefined : { sent_s, received_s, shown_s: reply.date_s };
  }

  /** Lets go of what only asks. */
  close(): void {
    this.#clock.close();
  }

  abort(): void {
    this.#clock.abort();
    this.#server.abort();
    this.#admin?.abort();
  }

  /** A database of 1.x that does not exist is created; a user who may only write never needs to. */
  async #writeTo(kept: Kept, bytes: Buffer): Promise<Answer> {
    const first = await this.#post(kept, bytes);
    if (first.kind !== "later" || !this.#admin || !/^404 database not found/.test(first.reason)) return first;
    const failure = await this.#admin.createDatabase();
    if (failure !== undefined) return { kind: "later", reason: `cannot create the database: ${failure}` };
    return this.#post(kept, bytes);
  }

  async #post(kept: Kept, bytes: Buffer): Promise<Answer> {
    const isSqueezed = this.#options.gzip && bytes.length >= LEAST_GZIP_BYTES;
    const body = isSqueezed ? await squeeze(bytes, { level: constants.Z_BEST_SPEED }) : bytes;
    const headers = { ...this.#headers, ...(isSqueezed ? { "Content-Encoding": "gzip" } : {}) };
    return answerOf(await this.#server.call({ method: "POST", path: writePath(this.#options, kept), headers, body }));
  }
}

const SEVERITY = ["later", "too_many", "rejected", "expired", "kept"] as const;

function worstOf(answers: readonly Answer[]): Answer {
  const sorted = answers.toSorted((a, b) => SEVERITY.indexOf(a.kind) - SEVERITY.indexOf(b.kind));
  return sorted[0] ?? { kind: "kept" };
}
