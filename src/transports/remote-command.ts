import { randomBytes } from "node:crypto";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel } from "../model/transport.ts";
import { settlesWithin } from "./deadline.ts";
import { quoteCommand } from "./quote.ts";

/** A Linux kernel refuses a single argument of 128 KiB (MAX_ARG_STRLEN), and the login shell is given all of it as one. */
const LONGEST_BYTES = 128 * 1024 - 1;

/** A command as a line for the login shell of a device, and how its start is recognised. */
export interface RemoteCommand {
  readonly name: string;
  readonly line: string;
  /** Begins the line on standard output before which nothing is the command's own. */
  readonly mark: string;
}

/**
 * Before the command takes the shell's place (`exec`), the shell says its process id, which the command keeps: by that
 * it can be ended later. What a login script prints before it is told apart by a mark that nobody can guess.
 *
 * @throws JoulebenchError `config` when the command is none, holds what no argument can, or is too long
 */
export function remoteCommand(argv: readonly string[]): RemoteCommand {
  const command = quoteCommand(argv);
  const name = argv[0]!;
  // Shells would take it for an option of their own.
  if (name.startsWith("-")) throw new JoulebenchError("config", name, "a command cannot begin with a dash; give its full path");
  const mark = `joulebench-${randomBytes(8).toString("hex")}`;
  const there = `command -v ${quoteCommand([name])} >/dev/null 2>&1`;
  const line = `${there} || { echo ${mark} missing; exit 127; }; echo ${mark} $$; exec ${command}`;
  if (Buffer.byteLength(line) > LONGEST_BYTES)
    throw new JoulebenchError("config", name, "its arguments are longer than 128 KiB; put them into a file and push it");
  return { name, line, mark };
}

/**
 * Reads up to the mark; the rest of the lines is the command's.
 *
 * @returns the command's process id, which is its process group's, too
 * @throws JoulebenchError `config` when it does not start; `link` when the link is lost first
 */
export async function whenStarted(channel: Channel, { name, mark }: RemoteCommand): Promise<number> {
  for await (const { text } of channel.lines) {
    const said = text.slice(text.indexOf(mark));
    if (!said.startsWith(mark)) continue;
    const pid = Number(said.slice(mark.length));
    if (pid > 1) return pid;
    throw new JoulebenchError("config", name, "command not found on the device, or not executable; install it or give its full path");
  }
  await channel.exit;
  const said = channel.complaint() || "nothing";
  throw new JoulebenchError("config", name, `the login shell does not start it; it must be a POSIX shell. It said: ${said}`);
}

/** How long a command may take to end once its input has ended, then after SIGTERM, then after SIGKILL. */
const PATIENCE_MS = { input: 1000, TERM: 1000, KILL: 2000 };

/**
 * Ends a command whose input has ended already, with what it started: signals its process group where it does not
 * end by itself.
 *
 * @param tell has the login shell read a line; what becomes of it shows in the command's end
 * @returns false when it does not end; true when it has, when the link is lost, or when nothing can be done
 */
export async function endRemote(
  { exit, pid }: { readonly exit: Promise<unknown>; readonly pid: number | undefined },
  tell: (line: string) => Promise<unknown>,
): Promise<boolean> {
  // One that never said its process id can only be let go of.
  if ((await settlesWithin(exit, PATIENCE_MS.input)) || pid === undefined) return true;
  for (const signal of ["TERM", "KILL"] as const) {
    // A device that does not even answer this must not be waited for longer.
    tell(`kill -${signal} -${pid}`).catch(() => undefined);
    if (await settlesWithin(exit, PATIENCE_MS[signal])) return true;
  }
  return false;
}
