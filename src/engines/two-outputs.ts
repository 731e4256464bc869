/**
 * Runs a command ($1 …) and prints both its outputs as they come: each line of standard error after the mark ($0), and
 * last, after the mark, `exit` and its exit code, before which comes an empty line: a program may leave its last line
 * open. The shells of Android have no `printf` of their own, and a process
 * for each line of a log would cost the device more than the log: they have `print`, which is as exact.
 */
const SCRIPT = `
case $(type print 2>&1) in *builtin*) say() { print -r -- "$1"; };; *) say() { printf '%s\\n' "$1"; };; esac
exec 3>&1
{ "$@"; code=$?; echo >&2; echo "exit $code" >&2; } 2>&1 >&3 3>&- | while IFS= read -r line || [ "$line" ]; do say "$0 $line"; done >&3
`;

/** What a line of the two outputs holds. It is only known here which output half a line came from. */
export interface Heard {
  /** Of standard output: what the program prints. */
  readonly printed?: string;
  /** Of standard error: its log. */
  readonly logged?: string;
  /** Its exit code; that of a shell, 128 and more, for a signal. */
  readonly code?: number;
}

/** Both outputs of a command over a channel that carries one. */
export class TwoOutputs {
  /** Nobody else's line holds it. */
  readonly #mark = `joulebench-${crypto.randomUUID()}`;

  argv(command: readonly string[]): readonly string[] {
    return ["sh", "-c", SCRIPT, this.#mark, ...command];
  }

  read(line: string): Heard {
    const at = line.indexOf(this.#mark);
    if (at < 0) return { printed: line };
    // A program that has not ended its line of standard output logs on the same one.
    const printed = at > 0 ? { printed: line.slice(0, at) } : {};
    const logged = line.slice(at + this.#mark.length + 1);
    const code = /^exit (\d+)$/.exec(logged)?.[1];
    if (logged === "") return printed;
    return code === undefined ? { ...printed, logged } : { ...printed, code: Number(code) };
  }
}
