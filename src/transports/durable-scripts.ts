/*
 * What runs on the device so that a command outlives the link. All of it is constant: whatever a rig names comes in as
 * positional parameters, which no shell reads. POSIX sh and the tools that Android (toybox), Debian and busybox share.
 */

/**
 * $1 folder, the rest the command. Its input is what is appended to `in`, its output goes to `out`, after which comes a
 * line with its exit code. The feeding tail is told apart from the command because only its end is the end of input.
 */
const SUPERVISE = `
d=$1; shift
echo $$ >"$d/leader"
sh -c 'echo $$ >"$1/feed"; exec tail -n +1 -f "$1/in"' sh "$d" 2>/dev/null | {
  sh -c 'd=$1; shift; echo $$ >"$d/pid"; exec "$@"' sh "$d" "$@" >>"$d/out" 2>>"$d/err"
  code=$?
  printf '\\n{"joulebench_exit":%d}\\n' "$code" >>"$d/out"
  kill "$(cat "$d/feed")"
}`;

/** Prints where a folder can be made, and makes none: one whose name was lost with the link could never be removed. */
const BASE = `for base in /data/local/tmp "\${TMPDIR:-/tmp}"; do [ -w "$base" ] && break; done; echo "$base"`;

/** Starts the supervisor in a session of its own, which no hang-up reaches. $2 folder, to be made. */
const START = `
supervise=$1; d=$2; shift 2
mkdir -m 700 "$d" || exit 1
: >"$d/in"; : >"$d/out"; : >"$d/err"
setsid sh -c "$supervise" sh "$d" "$@" </dev/null >/dev/null 2>&1 &`;

/** $1 folder, $2 first line wanted, counted from 1. */
const FOLLOW = `echo $$ >>"$1/tails"; exec tail -n "+$2" -f "$1/out"`;
const REST = `exec tail -n "+$2" "$1/out"`;
const FEED = `exec cat >>"$1/in"`;

/**
 * $1 folder, $2 seconds, $3 the line that is fed after them; nobody needs to be linked then. Who waits is known by
 * `waits.<its session>`, which is `fed.<the same>` once it has fed its line.
 */
const FEED_LATER = `
setsid sh -c '
  : >"$1/waits.$$"; sleep "$2"; printf "%s\\n" "$3" >>"$1/in"; mv "$1/waits.$$" "$1/fed.$$"
' sh "$1" "$2" "$3" </dev/null >/dev/null 2>&1 &`;

/**
 * Prints whether the folder is there, whether the command runs, and how many lines of input came from the feeder. One
 * whose link was lost as it began has a second to come up.
 */
const STATUS = `
[ -d "$1" ] || { echo gone; exit 0; }
n=0; while [ ! -s "$1/pid" ] && [ $n -lt 10 ]; do sleep 0.1; n=$((n + 1)); done
if [ -e "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null; then echo running; else echo ended; fi
fed=0; for each in "$1"/fed.*; do [ -e "$each" ] && fed=$((fed + 1)); done
echo $(($(wc -l <"$1/in") - fed))`;

/** $1 folder, $2 tenths of a second to end in by itself, and again after SIGTERM. */
const END = `
alive() { [ -e "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null; }
tenths() { n=0; while alive "$1" && [ $n -lt "$2" ]; do sleep 0.1; n=$((n + 1)); done; }
for each in "$1"/waits.*; do [ -e "$each" ] && kill -KILL "-\${each##*.}" 2>/dev/null; done
kill "$(cat "$1/feed")" 2>/dev/null
tenths "$1" "$2"
alive "$1" && kill -TERM "$(cat "$1/pid")" && tenths "$1" "$2"
alive "$1" && kill -KILL "$(cat "$1/pid")"
exit 0`;

/**
 * Leaves nothing: neither what the command has started, nor who follows its output, nor the folder. Without `--` before
 * the negative number: dash and busybox know none there.
 */
const CLEAN = `
[ -e "$1/leader" ] && kill -KILL "-$(cat "$1/leader")" 2>/dev/null
[ -e "$1/tails" ] && kill $(cat "$1/tails") 2>/dev/null
rm -rf "$1"`;

const shell = (script: string, ...parameters: readonly string[]): readonly string[] => ["sh", "-c", script, "sh", ...parameters];

/** Argument arrays for {@link Transport.open} and `run`; `folder` is one in what `base` has printed. */
export const durable = {
  base: shell(BASE),
  start: (folder: string, argv: readonly string[]) => shell(START, SUPERVISE, folder, ...argv),
  follow: (folder: string, line: number) => shell(FOLLOW, folder, String(line)),
  rest: (folder: string, line: number) => shell(REST, folder, String(line)),
  feed: (folder: string) => shell(FEED, folder),
  feedLater: (folder: string, delay_s: number, line: string) => shell(FEED_LATER, folder, delay_s.toFixed(1), line),
  status: (folder: string) => shell(STATUS, folder),
  end: (folder: string, patience_s: number) => shell(END, folder, String(Math.round(patience_s * 10))),
  clean: (folder: string) => shell(CLEAN, folder),
  complaint: (folder: string) => ["tail", "-c", "4096", `${folder}/err`],
} as const;

/** The exit code in the line that ends an output, undefined for every other line. */
export function exitCode(line: string): number | undefined {
  const digits = /^\{"joulebench_exit":(\d{1,3})\}$/.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
