import { createServer, type Server, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { parsePing, pongLine } from "../../src/wire/ping.ts";

/** What the app says of itself first. */
export const HELLO = { type: "hello", app: "org.example.bench 1.2", model: "iPhone15,2", system: "iOS 18.1", boot_id: "7A11", cores: 6 };

const DONE = '{"type":"done"}';
const now_s = (): number => performance.now() / 1000;

/** Stands for an app on a phone that speaks docs/device-protocol.md over TCP, on a port of this host's. */
export class App {
  readonly port: number;
  /** Lines it was sent and did not know. */
  readonly heard: string[] = [];
  /** Requests it has answered, whether or not anybody listened. */
  readonly answered: string[] = [];
  readonly #requests: number;
  #isDone = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, requests: number) {
    this.#server = server;
    this.#requests = requests;
    this.port = (server.address() as { port: number }).port;
  }

  /**
   * @param first the line every connection begins with; null for an app that says nothing
   * @param requests what it answers when it is told to start, a quarter of a second each
   */
  static async start(first: string | null = JSON.stringify(HELLO), requests = 1): Promise<App> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
    const app = new App(server, requests);
    server.on("connection", (socket) => app.#serve(socket, first));
    return app;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Says a line, in two pieces, to every connection. */
  say(line: string): void {
    const half = line.length >> 1;
    for (const socket of this.#sockets) {
      socket.write(line.slice(0, half));
      socket.write(`${line.slice(half)}\n`);
    }
  }

  /** Says what has no end of a line. */
  mumble(text: string): void {
    for (const socket of this.#sockets) socket.write(text);
  }

  /** Ends every connection, as an app does that the system has ended. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.end();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket, first: string | null): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy()).once("close", () => this.#sockets.delete(socket));
    if (first !== null) socket.write(`${first}\n`);
    if (this.#isDone) socket.write(`${DONE}\n`);
    let held = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      const received_s = now_s();
      const lines = (held + chunk).split("\n");
      held = lines.pop()!;
      for (const line of lines) this.#answer(socket, line, received_s);
    });
  }

  #answer(socket: Socket, line: string, received_s: number): void {
    const id = parsePing(line);
    if (id !== undefined) socket.write(`${pongLine({ id, deviceReceived_s: received_s, deviceSent_s: now_s() })}\n`);
    else if (line === "start") void this.#work();
    else this.heard.push(line);
  }

  async #work(): Promise<void> {
    const tell = async (type: string, request: string, more: object = {}): Promise<void> => {
      this.say(JSON.stringify({ type, request, ...more, time_s: now_s() }));
      await setTimeout(60);
    };
    for (let n = 1; n <= this.#requests; n++) {
      const request = `r${n}`;
      await tell("request_start", request);
      await tell("first_token", request, { tokens: 5 });
      await tell("token", request);
      this.answered.push(request);
      await tell("request_end", request);
    }
    this.#isDone = true;
    this.say(DONE);
  }
}
