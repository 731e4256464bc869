import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { JoulebenchError } from "../model/errors.ts";
import type { HostClock, Port, PortChunk } from "../model/port.ts";
import { ChunkQueue } from "./queue.ts";

export interface ProcessSettings {
  /** Program and arguments; no shell reads them. */
  readonly argv: readonly string[];
  readonly now: HostClock;
}

/** How much of its standard error is kept for the error message. */
const STDERR_CHARACTERS = 2000;
/** Most bytes that may wait in its standard input. */
const UNSENT_BYTES = 65536;
/** How long a program that was asked to end may take before it is made to. */
const GRACE_MS = 1000;
/** How long exit and end of output may lie apart, and how long its output may stay silent in between. */
const LINGER_MS = 200;

/**
 * A program whose standard input and output are the bytes of a port, such as emulated firmware.
 *
 * Its end, for whatever reason, ends the iteration with a `link` error that gives the exit code and the tail of its
 * standard error. It is read ahead of the consumer by at most QUEUE_BYTES or QUEUE_CHUNKS and one read.
 *
 * @throws JoulebenchError `config` when it cannot be started.
 */
export async function openProcess({ argv, now }: ProcessSettings): Promise<Port> {
  const [program, ...args] = argv;
  if (!program) throw new JoulebenchError("config", "process", "has no program to run; name one in argv");
  const child = spawn(program, args, { stdio: "pipe" });
  try {
    await once(child, "spawn");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new JoulebenchError("config", program, `cannot be started (${reason}); correct argv in the rig`, { cause });
  }
  return new ProcessPort(program, child, now);
}

class ProcessPort implements Port {
  readonly #program: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #queue: ChunkQueue;
  readonly #exited: Promise<unknown>;
  #stderr = "";
  #over: JoulebenchError | undefined;
  #released: Promise<void> | undefined;

  constructor(program: string, child: ChildProcessWithoutNullStreams, now: HostClock) {
    this.#program = program;
    this.#child = child;
    this.#queue = new ChunkQueue(() => child.stdout.resume());
    this.#exited = new Promise((resolve) => child.once("exit", resolve));
    child.stdout.on("data", (bytes: Buffer) => {
      if (!this.#queue.push({ bytes: Uint8Array.from(bytes), host_ns: now() })) child.stdout.pause();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS);
    });
    // A broken pipe is the sign of an exit, and the exit says more; a failed kill or write is heard by whoever asked for it.
    for (const source of [child, child.stdin, child.stdout, child.stderr]) source.on("error", () => {});
    child.once("close", () => this.#lose());
    child.once("exit", () => this.#linger());
    child.stdout.once("end", () => this.#linger());
  }

  [Symbol.asyncIterator](): AsyncIterator<PortChunk> {
    return this.#queue[Symbol.asyncIterator]();
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#over) throw this.#over;
    const { stdin } = this.#child;
    if (stdin.writableLength > 0 && stdin.writableLength + bytes.length > UNSENT_BYTES) {
      throw new JoulebenchError("link", this.#program, `takes nothing: ${stdin.writableLength} bytes wait to be sent`);
    }
    const failure = await new Promise<unknown>((resolve) => stdin.write(Uint8Array.from(bytes), resolve));
    if (!failure && !this.#over) return; // a pipe that was closed calls an unfinished write a success
    await Promise.race([this.#exited, delay(LINGER_MS)]); // its exit code says more than the broken pipe
    throw this.#lose(failure);
  }

  async close(): Promise<void> {
    this.#over ??= new JoulebenchError("link", this.#program, "has been closed; open it again to write");
    this.#queue.end();
    this.#released ??= this.#end();
    await this.#released;
  }

  /**
   * Exit and end of output belong together, but a child of the program may keep the output open after the exit, and a
   * program may close its output and live on. What is in the output is read all the same.
   */
  #linger(): void {
    const { stdout } = this.#child;
    const timer = setTimeout(() => {
      if (this.#queue.full) timer.refresh();
      else this.#lose();
    }, LINGER_MS);
    stdout.on("data", () => timer.refresh());
    this.#child.once("close", () => clearTimeout(timer));
  }

  /** The first end of the port decides what everybody hears. */
  #lose(cause?: unknown): JoulebenchError {
    const { exitCode, signalCode } = this.#child;
    const ended = signalCode ? `was ended by ${signalCode}` : `ended with exit code ${exitCode}`;
    const how = signalCode === null && exitCode === null ? "closed its standard input or output" : ended;
    const said = this.#stderr.trim();
    const tail = said ? `; its standard error ends: ${said}` : " and wrote nothing to standard error";
    this.#over ??= new JoulebenchError("link", this.#program, `${how}${tail}`, { cause });
    this.#queue.end(this.#over);
    this.#released ??= this.#end();
    return this.#over;
  }

  async #end(): Promise<void> {
    const child = this.#child;
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
    await this.#exited;
    clearTimeout(force);
  }
}
