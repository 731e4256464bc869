import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { Oracle } from "./oracle.ts";

/** What a recorder said of itself when it ended in order. */
export interface Farewell {
  readonly code: number;
  readonly seq: number;
  readonly before?: { readonly fds: number; readonly rss_mb: number };
  readonly after: { readonly fds: number; readonly rss_mb: number };
  readonly cpu_s: number;
}

interface Setup {
  readonly reserve_bytes?: number;
  readonly rate_hz?: number;
  readonly lasts_s?: number;
  /** A program that runs it, with its arguments. */
  readonly under?: readonly string[];
}

const LIMIT_MS = 60_000;

/** Host monotonic time, the clock of the recorder's records too, ns. */
export const now_ns = (): number => Number(process.hrtime.bigint());

/** A recorder in a process of its own, and the oracle that listens to it. */
export class Recording {
  readonly oracle = new Oracle();
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly notices: string[] = [];
  farewell: Farewell | undefined;
  complaint = "";
  /** When the last record was issued, and when the disk first acknowledged something, ns. */
  issued_ns = 0;
  firstAcknowledged_ns = 0;
  #rest = "";
  #waiting: (() => void)[] = [];

  constructor(dir: string, { reserve_bytes = 0, rate_hz = 2000, lasts_s = 30, under = [] }: Setup = {}) {
    const argv = [...under, process.execPath, resolve("test/faults/recorder.js"), dir, `${reserve_bytes}`, `${rate_hz}`, `${lasts_s}`];
    this.child = spawn(argv[0]!, argv.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
    const limit = setTimeout(() => this.child.kill("SIGKILL"), LIMIT_MS);
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.complaint += text;
    });
    this.ended = new Promise((ends, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code) => {
        clearTimeout(limit);
        this.#wake();
        ends(code);
      });
    });
  }

  /** Resolves when `holds`, or when the recorder has ended. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds() && this.child.exitCode === null && this.child.signalCode === null)
      await new Promise<void>((wake) => this.#waiting.push(wake));
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#line(line);
    this.#wake();
  }

  #line(line: string): void {
    const [word, ...rest] = line.split(" ");
    if (word === "i") {
      this.oracle.issued = Number(rest[0]) + 1;
      this.issued_ns = Number(rest[1]);
    } else if (word === "a") {
      this.oracle.acknowledge(Number(rest[0]), Number(rest[1]));
      this.firstAcknowledged_ns ||= Number(rest[2]);
    } else if (word === "n") this.notices.push(rest.join(" "));
    else if (word === "f") this.farewell = JSON.parse(rest.join(" ")) as Farewell;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
