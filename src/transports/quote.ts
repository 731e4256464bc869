import { JoulebenchError } from "../model/errors.ts";

/**
 * One argument as a POSIX shell must read it to get it back unchanged, whatever it holds: between single quotes no
 * character has a meaning (XCU 2.2.2), and a single quote itself stands outside of them behind a backslash.
 *
 * @throws JoulebenchError `config` for what no argument of a program can hold: NUL, or half of a surrogate pair
 */
export function quoteArgument(argument: string): string {
  const refuse = (what: string) => new JoulebenchError("config", JSON.stringify(argument.slice(0, 40)), `the argument holds ${what}`);
  if (argument.includes("\0")) throw refuse("a NUL byte, which ends arguments; give such data on standard input or in a file");
  if (/\p{Surrogate}/u.test(argument)) throw refuse("half of a surrogate pair, which no encoding can carry");
  return `'${argument.replaceAll("'", "'\\''")}'`;
}

/** A command line of quoted arguments, for transports whose other end is a shell. @throws as {@link quoteArgument} does; `config` when empty */
export function quoteCommand(argv: readonly string[]): string {
  if (!argv[0]) throw new JoulebenchError("config", "command", "no command given");
  return argv.map(quoteArgument).join(" ");
}
