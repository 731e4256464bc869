import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { type Holder, isAlive } from "./owner-lock.ts";

export interface Exit {
  /** Null when a signal ended it, or when it was not started here and nobody knows. */
  readonly code: number | null;
  /** Unix time, seconds. */
  readonly at_s: number;
  /** What it said last. */
  readonly reason?: string;
}

/** A process at work. */
export interface Child {
  readonly pid: number | undefined;
  /** Undefined while it runs. */
  readonly ended: Exit | undefined;
  kill(signal: NodeJS.Signals): void;
}

const now_s = (): number => Date.now() / 1000;

/**
 * Starts a program whose words go to a file, not to a pipe: it outlives whoever started it. It has a process group of
 * its own, so that Ctrl-C at a terminal reaches it once, through its daemon, and not twice.
 */
export function startChild([program = "", ...args]: readonly string[], log: string): Child {
  const file = openSync(log, "a");
  let ended: Exit | undefined;
  const child = spawn(program, args, { detached: true, stdio: ["ignore", file, file] });
  closeSync(file);
  child.once("error", (error) => {
    ended ??= { code: null, at_s: now_s(), reason: error.message };
  });
  child.once("exit", (code) => {
    const reason = code === null ? undefined : lastComplaint(log);
    ended ??= { code, at_s: now_s(), ...(reason === undefined ? {} : { reason }) };
  });
  return {
    pid: child.pid,
    get ended() {
      return ended;
    },
    kill: (signal) => void child.kill(signal),
  };
}

/** The process of an earlier daemon, by its lock: whether it runs is asked of the system. */
export function adoptChild(holder: Holder): Child {
  return {
    pid: holder.pid,
    get ended() {
      return isAlive(holder) ? undefined : { code: null, at_s: now_s() };
    },
    kill: (signal) => {
      if (isAlive(holder)) process.kill(holder.pid, signal);
    },
  };
}

const NAME = "joulebench: ";

/** The last error a joulebench told, on one line: of a file with mistakes it is the lines below that say which. */
function lastComplaint(log: string): string | undefined {
  const lines = readFileSync(log, "utf8").slice(-4096).trimEnd().split("\n");
  const from = lines.findLastIndex((line) => line.startsWith(NAME));
  if (from < 0) return undefined;
  const [first = "", ...more] = lines.slice(from);
  return [first.slice(NAME.length), ...more.map((line) => line.trim())].join("; ");
}
