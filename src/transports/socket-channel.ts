import type { Socket } from "node:net";
import type { HostNs } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Line } from "../model/transport.ts";
import { LineQueue } from "./line-queue.ts";
import { LineCutter } from "./lines.ts";

/** Input that the other side has not read yet, in bytes, before writing to it is an error. */
const UNREAD_BYTES = 64 * 1024;
/** How long the other side may take to hang up once we have. */
const PATIENCE_MS = 1000;
/** What an app prints last when it ends of its own will. */
const BYE = /^\{\s*"type"\s*:\s*"bye"/;

/** How a socket that was closed by the other side is told. */
export interface SocketNames {
  /** Who is at the other end, for messages. */
  readonly name: string;
  /** Why it was closed, as far as can be found out. */
  readonly reason: () => Promise<string>;
}

/**
 * A TCP connection to a program as a channel. Every line is stamped when the chunk that ends it arrives.
 *
 * A program that was killed hangs up as one that is done does, so its end is orderly, 0, only when we ended it or the
 * last line was `{"type":"bye"}`; everything else is a lost link. Standard error there is none.
 */
export class SocketChannel implements Channel {
  readonly lines: AsyncIterable<Line>;
  readonly exit: Promise<number | null>;
  readonly #socket: Socket;
  readonly #names: SocketNames;
  readonly #queue: LineQueue;
  readonly #closed: Promise<void>;
  #last = "";
  #isEnded = false;

  constructor(socket: Socket, names: SocketNames, now: () => HostNs) {
    this.#socket = socket;
    this.#names = names;
    this.#queue = new LineQueue(() => socket.resume());
    this.lines = this.#queue;
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
    this.exit = this.#closed.then(() => this.#verdict());
    this.exit.catch(() => {}); // Nobody may be waiting for it.
    this.#read(now);
  }

  complaint(): string {
    return "";
  }

  /** @throws RangeError when `line` is not one line; JoulebenchError `link` when the connection is gone or not read from. */
  async write(line: string): Promise<void> {
    if (line.includes("\n")) throw new RangeError("a line holds no newline");
    const fail = (what: string, cause?: Error) => new JoulebenchError("link", this.#names.name, what, { cause });
    if (this.#socket.writableLength > UNREAD_BYTES) throw fail("does not read what it is sent");
    const error = await new Promise<Error | null | undefined>((resolve) => this.#socket.write(`${line}\n`, resolve));
    if (error) throw fail("does not take input any more: the connection is closed", error);
  }

  endInput(): void {
    this.#isEnded = true;
    this.#socket.end();
  }

  async close(): Promise<void> {
    this.endInput();
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.destroy(), PATIENCE_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  #read(now: () => HostNs): void {
    const cutter = new LineCutter();
    let rest: Line[] = [];
    const stamped = (texts: readonly string[]): Line[] => {
      const host_ns = now();
      this.#last = texts.at(-1) ?? this.#last;
      return texts.map((text) => ({ text, host_ns }));
    };
    this.#socket.on("data", (chunk: Buffer) => {
      // Nobody may be left to read while it ends; what does not fit is then dropped, so that it can end.
      if (this.#queue.full && this.#isEnded) return;
      for (const line of stamped(cutter.push(chunk))) this.#queue.push(line);
      if (this.#queue.full && !this.#isEnded) this.#socket.pause();
    });
    this.#socket.once("end", () => {
      rest = stamped(cutter.end());
    });
    this.#socket.once("close", () => void this.#queue.endWith(rest, this.exit));
  }

  async #verdict(): Promise<number> {
    if (this.#isEnded || BYE.test(this.#last)) return 0;
    throw new JoulebenchError("link", this.#names.name, await this.#names.reason());
  }
}
