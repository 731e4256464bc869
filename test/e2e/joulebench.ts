import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** Where locks of rigs lie: not among the user's own. */
const STATE = join(tmpdir(), "joulebench-tests");

export interface Ended {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly lasted_s: number;
}

/** A joulebench that is running. */
export interface Running {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  /** Reads its standard output no further, as `head` does. */
  hangUp(): void;
  /** Resolves when its standard error has said `text`; rejects when it ends without. */
  said(text: string): Promise<void>;
}

/** Longest any command of these tests may take; a hang shows as a null exit code, not as a test that never ends. */
const LIMIT_MS = 100_000;

interface Circumstances {
  readonly cwd: string;
  /** A program that runs it, such as `prlimit` with its limits. */
  readonly under?: readonly string[];
  /** Variables besides those of the tests, or in their place. */
  readonly env?: Readonly<Record<string, string>>;
  readonly limit_ms?: number;
  /** Given each piece of its standard error. */
  readonly says?: (text: string) => void;
}

/** Starts the built program, as a user would, in a terminal of 80 columns. */
export function start(args: readonly string[], { cwd, under = [], env = {}, limit_ms = LIMIT_MS, says }: Circumstances): Running {
  const began = performance.now();
  const [program = "", ...rest] = [...under, process.execPath, MAIN, ...args];
  const child: ChildProcessWithoutNullStreams = spawn(program, rest, {
    cwd,
    env: { XDG_STATE_HOME: STATE, ...process.env, COLUMNS: "80", ...env },
  });
  const heard = { stdout: "", stderr: "" };
  const limit = setTimeout(() => child.kill("SIGKILL"), limit_ms);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    heard.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    heard.stderr += text;
    child.emit("said");
    says?.(text);
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(limit);
      resolve({ code, ...heard, lasted_s: (performance.now() - began) / 1000 });
    });
  });
  return {
    ended,
    hangUp: () => void child.stdout.destroy(),
    kill: (signal) => void child.kill(signal),
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!heard.stderr.includes(text)) return;
          child.off("said", look);
          resolve();
        };
        child.on("said", look);
        child.once("close", () => reject(new Error(`joulebench ended without saying "${text}":\n${heard.stderr}`)));
        look();
      }),
  };
}

/** Runs the built program to its end. */
export const joulebench = (args: readonly string[], circumstances: Circumstances): Promise<Ended> => start(args, circumstances).ended;
