import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { gunzipSync } from "node:zlib";

/** A write as it came. */
export interface Write {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  /** Body as it came, and its lines. */
  readonly bytes: Buffer;
  readonly lines: readonly string[];
}

/** Answers a request; true where it is answered already, so that the server does no more. */
export type Script = (write: Write, response: ServerResponse, n: number) => boolean | undefined | Promise<boolean | undefined>;

/**
 * An HTTP server on loopback that keeps points as InfluxDB does: one for each series and stamp. What it says to each
 * request is scripted; unscripted it keeps everything and answers 204.
 */
export class ScriptedServer {
  readonly writes: Write[] = [];
  /** Fields by series and stamp. */
  readonly points = new Map<string, string>();
  script: Script;
  readonly #server: Server;

  private constructor(script: Script) {
    this.script = script;
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  static async start(script: Script = () => undefined, port = 0): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(script);
    await new Promise<void>((listening) => scripted.#server.listen(port, "127.0.0.1", listening));
    return scripted;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, series = "", fields = "", stamp = ""] = /^((?:\\.|[^ \\])+) (.*) (\d+)$/s.exec(line) ?? [];
      this.points.set(`${series} ${stamp}`, fields);
    }
  }

  stop(): Promise<unknown> {
    this.#server.closeAllConnections();
    return new Promise((stopped) => this.#server.close(stopped));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const bytes = Buffer.concat(chunks);
    const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes).toString("utf8");
    const write = {
      ...{ url: request.url ?? "", method: request.method ?? "", headers: request.headers, bytes },
      lines: text.split("\n").filter((line) => line !== ""),
    };
    this.writes.push(write);
    if (await this.script(write, response, this.writes.length)) return;
    this.keep(write.lines);
    response.writeHead(204).end();
  }
}

/** An answer with a JSON body, as InfluxDB's are. */
export function say(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): true {
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
  return true;
}

/** A loopback port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
