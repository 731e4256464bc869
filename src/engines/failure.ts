import type { EngineAnswer } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";

/** What is kept of an engine's own words, in UTF-16 units. */
const WORDS_LENGTH = 600;

/** How engines, their libraries and the system say that memory is short. */
const MEMORY =
  /out of (?:device |host )?memory|outof(?:device|host)memory|(?:failed|unable) to allocate|cannot allocate|bad_alloc|not enough memory/i;
/** How llama.cpp says that a prompt does not fit. */
const CONTEXT =
  /prompt is too long|exceeds the available context|exceeds? (?:the )?(?:available )?context|context (?:size|window) (?:has been )?exceeded/i;

/** Exit codes of a shell that could not start a command. */
const NOT_EXECUTABLE = 126;
export const NOT_FOUND = 127;
/** A shell adds the number of the signal that ended its command to this. */
const SIGNAL_BASE = 128;
const SIGNALS: Readonly<Record<number, string>> = { 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM" };

/** The end of what an engine said, on one line. */
export const lastWords = (text: string): string =>
  text
    .trim()
    .split(/\s*\n\s*/)
    .join(" / ")
    .slice(-WORDS_LENGTH);

/** Why an engine does not come up with a model: what to look at, then its own words. */
export const modelProblem = (model: string | undefined, words: string): string =>
  `does not load ${model ?? "its model"}: is it there on the device, whole, and small enough for its memory? It said: ${words || "nothing"}`;

/** `exit code 1`, `signal SIGKILL (…)`: how a process ended; null is a signal that nobody names. */
export function ending(code: number | null): string {
  const signal = code !== null && code > SIGNAL_BASE ? (SIGNALS[code - SIGNAL_BASE] ?? `${code - SIGNAL_BASE}`) : undefined;
  if (signal === "SIGKILL") return "ended by SIGKILL, as a system does that runs out of memory";
  if (signal) return `ended by signal ${signal}`;
  return code === null ? "ended by a signal" : `ended with exit code ${code}`;
}

/** @returns true when the process did not end by its own will: a signal, or its own abort */
export const isKilled = (code: number | null): boolean => code === null || code > SIGNAL_BASE;

/** The answer of a process that has ended, judged by its exit code and its words. */
export function judge(code: number | null, words: string, text: string): EngineAnswer {
  if (code === 0) return { outcome: "ok", text };
  const detail = [ending(code), lastWords(words)].filter(Boolean).join(": ");
  if (MEMORY.test(words)) return { outcome: "oom", text, detail };
  return { outcome: !isKilled(code) && CONTEXT.test(words) ? "refused" : "crash", text, detail };
}

/** The answer to an HTTP request that was turned down: the server lives, so it is no crash. */
export function refusal(status: number, words: string, text: string): EngineAnswer {
  return { outcome: MEMORY.test(words) ? "oom" : "refused", text, detail: `HTTP ${status}: ${lastWords(words)}` };
}

/** @throws JoulebenchError `config` for a command that a shell would take for an option of `exec` */
export function mustBeProgram([program]: readonly string[]): void {
  if (program?.startsWith("-")) throw new JoulebenchError("config", program, "a command cannot begin with a dash; give its full path");
}

/** What is wrong with a request that `make` cannot be done for, before anything runs. */
export function refusalOf(make: () => unknown): string | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    if (error instanceof JoulebenchError) return error.message;
    throw error;
  }
}

/** @throws JoulebenchError `config` when the shell of the device could not start `command` */
export function mustStart(command: string, code: number | null, words: string): void {
  const missing = code === NOT_FOUND;
  if (!missing && code !== NOT_EXECUTABLE) return;
  const what = missing
    ? "is not installed on the device; install it or give its full path"
    : "cannot be executed there; check its permissions";
  throw new JoulebenchError("config", command, `${what}${words && ` (${lastWords(words)})`}`);
}
