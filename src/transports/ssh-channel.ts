import type { ClientChannel } from "ssh2";
import type { HostNs } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Line } from "../model/transport.ts";
import { settlesWithin } from "./deadline.ts";
import { LineQueue } from "./line-queue.ts";
import { LineCutter } from "./lines.ts";
import { endRemote } from "./remote-command.ts";
import type { SshLink } from "./ssh-link.ts";

/** What is kept of standard error, in UTF-16 units. */
const COMPLAINT_LENGTH = 4096;
/** Input that waits here, beyond the 2 MiB that ssh lets lie unread at the device, before writing is an error. */
const UNREAD_BYTES = 64 * 1024;
/** How long output may keep a channel open after its command has ended, when a process it left behind holds it. */
const LINGER_MS = 100;

/** A command on the device. Every line is stamped when the packet that ends it arrives. */
export class SshChannel implements Channel {
  readonly lines: AsyncIterable<Line>;
  readonly exit: Promise<number | null>;
  /** Process id on the device, once known. */
  pid: number | undefined;
  readonly #stream: ClientChannel;
  readonly #link: SshLink;
  readonly #name: string;
  readonly #queue: LineQueue;
  readonly #closed: Promise<void>;
  /** Rejects writes that no answer can come for. */
  readonly #unwritten = new Set<(error: Error) => void>();
  #complaint = "";
  /** How the command ended, as far as it is known. */
  #end: { readonly code: number | null } | JoulebenchError | undefined;
  #closing: Promise<void> | undefined;

  constructor(stream: ClientChannel, link: SshLink, name: string, now: () => HostNs) {
    this.#stream = stream;
    this.#link = link;
    this.#name = name;
    this.#queue = new LineQueue(() => stream.resume());
    this.lines = this.#queue;
    this.#closed = new Promise((resolve) => stream.once("close", resolve));
    this.exit = this.#untilEnd();
    this.exit.catch(() => undefined); // Nobody has to ask.
    stream.on("error", (error: Error) => this.#complain(`${error.message}\n`));
    stream.stderr.on("data", (chunk: Buffer) => this.#complain(chunk.toString("utf8")));
    this.#read(now);
  }

  complaint(): string {
    return this.#complaint.trim();
  }

  /** @throws RangeError when `line` is not one line; JoulebenchError `link` when the command or the link has gone, or nobody reads */
  async write(line: string): Promise<void> {
    if (line.includes("\n")) throw new RangeError("a line holds no newline");
    if (this.#end || !this.#stream.writable) throw this.#unwritable();
    if (this.#stream.writableLength > UNREAD_BYTES) throw this.#failure("does not read its standard input");
    let refuse: (error: Error) => void = () => undefined;
    const written = new Promise<void>((resolve, reject) => {
      refuse = reject;
      this.#stream.write(`${line}\n`, (error) => (error ? reject(this.#unwritable()) : resolve()));
    });
    this.#unwritten.add(refuse);
    await written.finally(() => this.#unwritten.delete(refuse));
  }

  endInput(): void {
    this.#stream.end();
  }

  close(): Promise<void> {
    this.#closing ??= this.#letGo();
    return this.#closing;
  }

  async #letGo(): Promise<void> {
    this.#stream.end();
    this.#stream.resume();
    const ended = await endRemote(this, (line) => this.#link.exec(line, drain));
    if (ended) await settlesWithin(this.#closed, LINGER_MS);
    this.#stream.close();
    this.#queue.end();
    if (!ended) throw this.#failure(`process ${this.pid} does not end, not even by SIGKILL`);
  }

  #untilEnd(): Promise<number | null> {
    return new Promise((resolve, reject) => {
      const settle = (end: { code: number | null } | JoulebenchError): void => {
        if (this.#end) return;
        this.#end = end;
        for (const refuse of this.#unwritten) refuse(this.#unwritable());
        if (end instanceof JoulebenchError) reject(end);
        else resolve(end.code);
      };
      this.#stream.once("exit", (code: number | null) => settle({ code }));
      this.#link.lost.then(settle);
      // The link may be lost in the same moment, and knows better why.
      this.#closed.then(() => setImmediate(() => settle(this.#failure("its channel was closed before it ended"))));
    });
  }

  #read(now: () => HostNs): void {
    const stream = this.#stream;
    const cutter = new LineCutter();
    const stamped = (texts: readonly string[]): Line[] => {
      const host_ns = now();
      return texts.map((text) => ({ text, host_ns }));
    };
    stream.on("data", (chunk: Buffer) => {
      // Nobody may be left to read while it ends; what does not fit is then dropped, so that it can end.
      if (this.#queue.full && this.#closing) return;
      for (const line of stamped(cutter.push(chunk))) this.#queue.push(line);
      if (this.#queue.full && !this.#closing) stream.pause();
    });
    stream.once("end", () => void this.#queue.endWith(stamped(cutter.end()), this.exit));
  }

  #complain(text: string): void {
    this.#complaint = (this.#complaint + text).slice(-COMPLAINT_LENGTH);
  }

  #unwritable(): JoulebenchError {
    if (this.#end instanceof JoulebenchError) return this.#end;
    const { code } = this.#end ?? {};
    const how = code === undefined ? "" : `; it ended with ${code === null ? "a signal" : `exit code ${code}`}`;
    return this.#failure(`does not take input any more${how}`);
  }

  #failure(what: string): JoulebenchError {
    const said = this.complaint() && `; it said: ${this.complaint().split("\n").slice(-5).join(" / ")}`;
    return new JoulebenchError("link", this.#name, `${what}${said}`);
  }
}

/** Lets a command run whose output nobody wants. */
function drain(stream: ClientChannel): void {
  stream.on("error", () => undefined).resume();
  stream.stderr.resume();
  stream.end();
}
