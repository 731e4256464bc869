import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { HostNs } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Line } from "../model/transport.ts";
import { LineQueue } from "./line-queue.ts";
import { LineCutter } from "./lines.ts";

/** What is kept of standard error, in UTF-16 units. */
const COMPLAINT_LENGTH = 4096;
/** Input that a command has not read yet, in bytes, before writing to it is an error. */
const UNREAD_BYTES = 64 * 1024;
/** How long a command may take to end by itself once its input has ended, then after SIGTERM, then after SIGKILL. */
const PATIENCE_MS = { input: 1000, SIGTERM: 1000, SIGKILL: 2000 };

interface Handling {
  readonly verdict?: () => Promise<unknown>;
  readonly leads?: boolean;
}

/** A started child process as a channel. Every line is stamped when the chunk that ends it arrives. */
export class ProcessChannel implements Channel {
  readonly lines: AsyncIterable<Line>;
  readonly exit: Promise<number | null>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  readonly #queue: LineQueue;
  readonly #leads: boolean;
  #complaint = "";
  #closing: Promise<void> | undefined;
  #isDraining = false;

  /**
   * @param verdict on the exit code: rejects when the process ended because a link was lost, with half a line perhaps
   * @param leads it was started as the leader of a process group, which is ended with it
   */
  constructor(child: ChildProcessWithoutNullStreams, name: string, now: () => HostNs, { verdict, leads = false }: Handling = {}) {
    this.#child = child;
    this.#leads = leads;
    this.#name = name;
    this.#queue = new LineQueue(() => child.stdout.resume());
    this.lines = this.#queue;
    this.exit = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    // A signal that could not be sent: close() then finds the process still there and says so.
    child.on("error", (error) => this.#complain(`${error.message}\n`));
    child.stdin.on("error", () => {}); // Reported to the write that it belongs to.
    child.stderr.on("error", (error) => this.#complain(`${error.message}\n`));
    child.stderr.on("data", (chunk: Buffer) => this.#complain(chunk.toString("utf8")));
    this.#read(now, verdict ?? (() => this.exit));
  }

  complaint(): string {
    return this.#complaint.trim();
  }

  /** @throws RangeError when `line` is not one line; JoulebenchError `link` when the command has gone or does not read. */
  async write(line: string): Promise<void> {
    if (line.includes("\n")) throw new RangeError("a line holds no newline");
    const { stdin } = this.#child;
    if (stdin.writableLength > UNREAD_BYTES) throw this.#failure("does not read its standard input");
    const error = await new Promise<Error | null | undefined>((resolve) => stdin.write(`${line}\n`, resolve));
    if (error) throw this.#failure("does not take input any more", error);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  /** From now on nobody reads: what the queue cannot take is dropped, so that the command can end. */
  drain(): void {
    this.#isDraining = true;
    this.#child.stdout.resume();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  #read(now: () => HostNs, verdict: () => Promise<unknown>): void {
    const { stdout } = this.#child;
    const cutter = new LineCutter();
    let rest: Line[] = [];
    const stamped = (texts: readonly string[]): Line[] => {
      const host_ns = now();
      return texts.map((text) => ({ text, host_ns }));
    };
    stdout.on("data", (chunk: Buffer) => {
      if (this.#queue.full && this.#isDraining) return;
      for (const line of stamped(cutter.push(chunk))) this.#queue.push(line);
      if (this.#queue.full && !this.#isDraining) stdout.pause();
    });
    stdout.on("error", (error) => this.#complain(`${error.message}\n`));
    stdout.once("end", () => {
      rest = stamped(cutter.end());
    });
    stdout.once("close", () => void this.#queue.endWith(rest, verdict()));
  }

  async #end(): Promise<void> {
    const { child, gone } = { child: this.#child, gone: (patience_ms: number) => endsWithin(this.exit, patience_ms) };
    child.stdin.end();
    this.drain();
    let ended = await gone(PATIENCE_MS.input);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (ended) break;
      this.#signal(signal);
      ended = await gone(PATIENCE_MS[signal]);
    }
    // What it printed last may still be in the pipe, and a process it left behind may hold the pipe open.
    if (ended && !child.stdout.closed) await endsWithin(new Promise((resolve) => child.stdout.once("close", resolve)), 100);
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    if (!ended) throw this.#failure(`process ${child.pid} does not end, not even by SIGKILL`);
  }

  /** To it and, where it leads a group of its own, to all it started. */
  #signal(name: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (!this.#leads || pid === undefined) return void this.#child.kill(name);
    try {
      process.kill(-pid, name);
    } catch (error) {
      // All of it has ended meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") this.#complain(`${(error as Error).message}\n`);
    }
  }

  #complain(text: string): void {
    this.#complaint = (this.#complaint + text).slice(-COMPLAINT_LENGTH);
  }

  #failure(what: string, cause?: Error): JoulebenchError {
    const { exitCode, signalCode } = this.#child;
    const how = signalCode ?? exitCode;
    const end = how === null ? "" : `; it ended with ${signalCode ? "signal" : "exit code"} ${how}`;
    const said = this.complaint() && `; it said: ${this.complaint().split("\n").slice(-5).join(" / ")}`;
    return new JoulebenchError("link", this.#name, `${what}${end}${said}`, { cause });
  }
}

async function endsWithin(end: Promise<unknown>, patience_ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), patience_ms);
  });
  try {
    return await Promise.race([end.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
