import { type ChildProcessByStdio, spawn } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { JoulebenchError } from "../model/errors.ts";

/** How long iproxy may take until it listens, and how often it is asked. */
const START_MS = 5000;
const ASK_MS = 10;
/** How long it may take to end after SIGTERM. */
const END_MS = 1000;
/** What is kept of standard error, in UTF-16 units. */
const COMPLAINT_LENGTH = 1024;
const SAID_LINES = 3;

/** A port of the phone. */
export interface PhonePort {
  readonly udid: string;
  readonly port: number;
}

/** A running iproxy: one port of a phone as a port of this host's loopback interface. It ends with this process at the latest. */
export class PhoneProxy {
  readonly port: number;
  readonly #child: ChildProcessByStdio<null, null, Readable>;
  readonly #gone: Promise<void>;
  readonly #kill = (): void => void this.#child.kill("SIGKILL");
  #complaint = "";

  private constructor(child: ChildProcessByStdio<null, null, Readable>, port: number) {
    this.#child = child;
    this.port = port;
    this.#gone = new Promise((resolve) => child.once("exit", () => resolve()));
    this.#gone.then(() => process.off("exit", this.#kill));
    child.on("error", () => {}); // A signal that could not be sent; stop() waits for the end and sends another.
    child.stderr
      .on("error", () => {})
      .on("data", (chunk: Buffer) => {
        this.#complaint = (this.#complaint + chunk.toString("utf8")).slice(-COMPLAINT_LENGTH);
      });
    process.once("exit", this.#kill);
  }

  /** @param program name or path of iproxy. @throws JoulebenchError `config` when there is no such program */
  static async start(program: string, to: PhonePort): Promise<PhoneProxy> {
    return new PhoneProxy(...(await spawned(program, to)));
  }

  /**
   * A connection, once iproxy listens. Whether the phone took it shows in what comes: iproxy asks the phone afterwards.
   *
   * @throws JoulebenchError `link` when iproxy has ended, or does not come to listen
   */
  async connect(): Promise<Socket> {
    const end = AbortSignal.timeout(START_MS);
    while (!end.aborted && this.#child.exitCode === null && this.#child.signalCode === null) {
      const socket = await dial(this.port).catch(() => undefined);
      if (socket) return socket;
      await pause(ASK_MS);
    }
    const said = this.#complaint.trim().split("\n").slice(-SAID_LINES).join(" / ");
    throw new JoulebenchError("link", "iproxy", `does not listen on port ${this.port} of this machine; it said: ${said || "nothing"}`);
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(this.#kill, END_MS);
    await this.#gone;
    clearTimeout(timer);
    this.#child.stderr.destroy();
  }
}

async function spawned(program: string, { udid, port }: PhonePort): Promise<[ChildProcessByStdio<null, null, Readable>, number]> {
  const free = await freePort();
  const child = spawn(program, ["--udid", udid, `${free}:${port}`], { shell: false, stdio: ["ignore", "ignore", "pipe"] });
  try {
    await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    return [child, free];
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const advice = "install libusbmuxd-tools (macOS: brew install libusbmuxd), or give its path as device.transport.iproxy";
    const message = isMissing ? `not found; ${advice}` : `cannot start: ${(error as Error).message}`;
    throw new JoulebenchError("config", program, message, { cause: error });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", reject).once("connect", () => {
      socket.off("error", reject).on("error", () => {}); // Whoever reads it sees it closed.
      resolve(socket);
    });
  });
}
