import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** An answer is heard to its end, or to this many bytes of it. */
const MOST_BYTES = 256 * 1024;
/** No server is left alone for longer than this because it said so. */
const MOST_AFTER_MS = 3_600_000;

const STALE = "the connection was closed";

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** `Date`: Unix time in whole seconds, where the server says it. */
  readonly date_s?: number;
  /** `Retry-After`, where the server sent one. */
  readonly after_ms?: number;
}

export interface Call {
  readonly method: "GET" | "POST" | "PATCH";
  /** With its query, beginning with `/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/**
 * One server, one request at a time on one lasting connection. Certificates are checked; nothing is followed elsewhere.
 *
 * A call ends within its time whatever the server does: accepts and says nothing, drips byte by byte, breaks off.
 */
export class HttpServer {
  readonly #where: { readonly host: string; readonly port: number };
  readonly #agent: HttpAgent;
  readonly #request: typeof httpRequest;
  readonly #limit_ms: number;
  #aborted = false;
  #giveUp = (_reason: string): void => {};

  constructor({ host, port, protocol }: { host: string; port: number; protocol: "http" | "https" }, limit_ms: number) {
    const settings = { keepAlive: true, maxSockets: 1 };
    this.#agent = protocol === "https" ? new HttpsAgent(settings) : new HttpAgent(settings);
    this.#request = protocol === "https" ? httpsRequest : httpRequest;
    this.#where = { host, port };
    this.#limit_ms = limit_ms;
  }

  /** @returns the whole answer, or in words why there is none. Never rejects. */
  async call(call: Call): Promise<Reply | string> {
    const first = await this.#attempt(call);
    // The server had closed the lasting connection meanwhile, as it may: that is no answer to this request.
    return first === STALE ? this.#attempt(call) : first;
  }

  #attempt({ method, path, headers = {}, body = "" }: Call): Promise<Reply | string> {
    if (this.#aborted) return Promise.resolve("no answer before the end");
    return new Promise((resolve) => {
      const request = this.#request({
        ...{ ...this.#where, agent: this.#agent, method, path },
        headers: { ...headers, "Content-Length": Buffer.byteLength(body) },
      });
      const timer = setTimeout(() => this.#giveUp(`no answer within ${this.#limit_ms} ms`), this.#limit_ms);
      const settle = (reply: Reply | string): void => {
        clearTimeout(timer);
        resolve(reply);
      };
      this.#giveUp = (reason) => {
        settle(reason);
        request.destroy();
      };
      request.once("error", (error: NodeJS.ErrnoException) =>
        settle(request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE") ? STALE : messageOf(error)),
      );
      request.once("close", () => settle("the connection was closed before the answer was whole"));
      request.once("response", (response) => hear(response, settle));
      request.end(body);
    });
  }

  abort(): void {
    this.#aborted = true;
    this.#giveUp("no answer before the end");
    this.#agent.destroy();
  }

  /** Lets go of the connection. */
  close(): void {
    this.#agent.destroy();
  }
}

function hear(response: IncomingMessage, settle: (reply: Reply | string) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  const done = (): void => {
    const after_ms = retryAfter_ms(response.headers["retry-after"]);
    const date_s = Date.parse(response.headers.date ?? "") / 1000;
    settle({
      status: response.statusCode ?? 0,
      body: Buffer.concat(chunks).toString("utf8"),
      ...(Number.isFinite(date_s) ? { date_s } : {}),
      ...(after_ms === undefined ? {} : { after_ms }),
    });
  };
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= MOST_BYTES) return;
    done();
    response.destroy();
  });
  response.once("end", () => (response.complete ? done() : settle("the answer broke off")));
  response.once("error", (error) => settle(messageOf(error)));
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfter_ms(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(MOST_AFTER_MS, Math.max(0, ms)) : undefined;
}

/** Several addresses of one name fail with an error that says nothing but holds one for each. */
function messageOf(error: Error): string {
  const causes = error instanceof AggregateError ? (error.errors as Error[]) : [];
  return error.message || causes[0]?.message || (error as NodeJS.ErrnoException).code || String(error);
}
