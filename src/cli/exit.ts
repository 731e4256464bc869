import { type ErrorKind, JoulebenchError } from "../model/errors.ts";
import type { Results } from "../model/results.ts";
import { laidOut, printable } from "./format.ts";

/** Exit codes that scripts depend on (docs/architecture.md, public surface). */
export const EXIT = { valid: 0, invalid: 1, config: 2, link: 3, protocol: 3, sink: 4, interrupted: 130 } as const;

export const exitOfError = (kind: ErrorKind): number => EXIT[kind];

export const exitOfResults = ({ validity }: Results): number =>
  validity.some((each) => !each.pass && each.level === "FAIL") ? EXIT.invalid : EXIT.valid;

/**
 * Runs a command: its exit code becomes the process's, and an error becomes one message on stderr.
 *
 * A slip of the program is not dressed up: it prints its stack, so that it can be reported.
 */
export async function conclude(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (error) {
    if (!(error instanceof JoulebenchError)) throw error;
    process.exitCode = complain(error);
  }
}

/** Says on stderr what went wrong. @returns the exit code that belongs to it */
export function complain({ kind, message }: JoulebenchError): number {
  const text = `joulebench: ${printable(message)}`;
  process.stderr.write(`${process.stderr.isTTY ? laidOut(text) : text}\n`);
  return exitOfError(kind);
}
