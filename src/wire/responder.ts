/*
 * Who answers pings on a device whose workload does not: a resident loop that starts no process while it answers. The
 * programs are constant text in argument arrays; whatever is sent to them is read as data.
 */

/** Clocks of a POSIX system: of the day, since some instant, since boot with the time asleep. */
export type ClockName = "realtime" | "monotonic" | "boottime";

/** What a responder says of itself in its first line. */
export interface ResponderClock {
  /** The clock of its pongs. */
  readonly clock: ClockName;
  readonly method: string;
  readonly resolution_s: number;
  /** Every stamp starts a process, so that both stamps of a pong are late by about as much. */
  readonly forks: boolean;
}

/** Readings of a device's clocks at one instant, each with its standard uncertainty against that instant, seconds. */
export interface ClockTie {
  readonly readings: Readonly<Partial<Record<ClockName, { readonly at_s: number; readonly u_s: number }>>>;
}

/** What is sent to have the device's clocks read together. */
export const TIE_LINE = "tie";

/**
 * Python reads all clocks. Pongs are on CLOCK_MONOTONIC: nobody sets it, and programs stamp by it. It stands still while
 * the device is asleep, which shows as a step, and time services bend its rate by no more than 500 ppm, as an oscillator
 * might be off. A tie is the narrowest of ten: two readings of the one clock enclose those of the others.
 */
const PYTHON = `
import sys, time
now = time.monotonic_ns
boot = getattr(time, "CLOCK_BOOTTIME", None)
out = sys.stdout
def say(text):
    out.write(text + "\\n")
    out.flush()
say('{"type":"clock","clock":"monotonic","method":"python3","resolution_s":1e-9,"forks":false}')
while True:
    line = sys.stdin.readline()
    received = now()
    if not line:
        break
    word, _, number = line.strip().partition(" ")
    if word == "ping" and number.isdigit() and len(number) < 16:
        sent = now()
        say('{"type":"pong","id":%s,"received_s":%d.%09d,"sent_s":%d.%09d}' % ((number,) + divmod(received, 10**9) + divmod(sent, 10**9)))
    elif word == "tie":
        best = None
        for _ in range(10):
            before = now()
            realtime = time.time_ns()
            boottime = time.clock_gettime_ns(boot) if boot is not None else None
            after = now()
            if best is None or after - before < best[1] - best[0]:
                best = (before, after, realtime, boottime)
        before, after, realtime, boottime = best
        text = '{"type":"tie","from_s":%d.%09d,"to_s":%d.%09d,"realtime_s":%d.%09d' % (divmod(before, 10**9) + divmod(after, 10**9) + divmod(realtime, 10**9))
        if boottime is not None:
            text += ',"boottime_s":%d.%09d' % divmod(boottime, 10**9)
        say(text + "}")
`;

/**
 * A shell with $EPOCHREALTIME: Android's mksh, bash 5, busybox. No shell reads a clock that nobody sets without starting a
 * process, so pongs are on CLOCK_REALTIME and a step of it shows in the pings. A tie waits for /proc/uptime to change,
 * which it does every 10 ms, by whole hundredths of a second: CLOCK_BOOTTIME was that much between the two readings.
 */
const SHELL = `
LC_ALL=C
[ -n "$EPOCHREALTIME" ] || exit 3
echo '{"type":"clock","clock":"realtime","method":"epochrealtime","resolution_s":1e-6,"forks":false}'
while read -r word number; do
  received=$EPOCHREALTIME
  case $word in
    ping) case $number in ''|*[!0-9]*|????????????????*) ;; *) echo "{\\"type\\":\\"pong\\",\\"id\\":$number,\\"received_s\\":$received,\\"sent_s\\":$EPOCHREALTIME}" ;; esac ;;
    tie) if [ -r /proc/uptime ]; then
        read -r up rest </proc/uptime; last=$up
        while [ "$up" = "$last" ]; do before=$EPOCHREALTIME; read -r up rest </proc/uptime; done
        echo "{\\"type\\":\\"tie\\",\\"from_s\\":$before,\\"to_s\\":$EPOCHREALTIME,\\"boottime_s\\":$up}"
      fi ;;
  esac
done`;

/**
 * A shell without a clock starts \`date\` for every stamp, which takes about as long as the way there and back: a stamp is
 * late by an unknown part of that.
 */
const DATE = `
now() { date +%s.%N; }
case $(now) in *[!0-9.]*|'') exit 3 ;; esac
echo '{"type":"clock","clock":"realtime","method":"date","resolution_s":1e-6,"forks":true}'
while read -r word number; do
  case $word in
    ping) received=$(now); case $number in ''|*[!0-9]*|????????????????*) ;; *) echo "{\\"type\\":\\"pong\\",\\"id\\":$number,\\"received_s\\":$received,\\"sent_s\\":$received}" ;; esac ;;
    tie) if [ -r /proc/uptime ]; then
        read -r up rest </proc/uptime; last=$up
        while [ "$up" = "$last" ]; do read -r up rest </proc/uptime; done
        echo "{\\"type\\":\\"tie\\",\\"from_s\\":$received,\\"to_s\\":$(now),\\"boottime_s\\":$up}"
      fi ;;
  esac
done`;

/** How to start a responder, the best first. One that cannot serve ends at once. */
export const RESPONDERS: readonly { readonly method: string; readonly argv: readonly string[] }[] = [
  { method: "python3", argv: ["python3", "-u", "-c", PYTHON] },
  { method: "epochrealtime", argv: ["sh", "-c", SHELL] },
  { method: "epochrealtime", argv: ["bash", "-c", SHELL] },
  { method: "epochrealtime", argv: ["busybox", "sh", "-c", SHELL] },
  { method: "date", argv: ["sh", "-c", DATE] },
];

const CLOCKS: readonly unknown[] = ["realtime", "monotonic", "boottime"] satisfies ClockName[];

/** @returns undefined for whatever is no responder's first line */
export function parseClock(line: string): ResponderClock | undefined {
  const said = parseSaid(line, "clock");
  if (!said || !CLOCKS.includes(said.clock) || typeof said.method !== "string" || !isPositive(said.resolution_s)) return undefined;
  return { clock: said.clock as ClockName, method: said.method, resolution_s: said.resolution_s, forks: said.forks === true };
}

/**
 * Reads what a responder answered to `tie`: two readings of the clock of its pongs, and others taken between them.
 *
 * @param pongs the clock of its pongs
 * @returns undefined for whatever is no whole answer with finite times in order
 */
export function parseTie(line: string, pongs: ClockName): ClockTie | undefined {
  const said = parseSaid(line, "tie");
  if (!said) return undefined;
  const { from_s, to_s } = said;
  if (!isFiniteNumber(from_s) || !isFiniteNumber(to_s) || to_s < from_s) return undefined;
  const readings: Record<string, { at_s: number; u_s: number }> = {};
  for (const name of ["realtime", "monotonic", "boottime"] as const) {
    const at_s = said[`${name}_s`];
    if (isFiniteNumber(at_s)) readings[name] = { at_s, u_s: 0 };
  }
  // Anywhere between its two readings: rectangular.
  readings[pongs] = { at_s: (from_s + to_s) / 2, u_s: (to_s - from_s) / Math.sqrt(12) };
  return { readings };
}

/** Longest line worth reading; anything longer is something else. */
const LONGEST = 256;

function parseSaid(line: string, type: string): Readonly<Record<string, unknown>> | undefined {
  if (line.length > LONGEST || !line.includes(`"${type}"`)) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "type" in value && value.type === type
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isPositive = (value: unknown): value is number => isFiniteNumber(value) && value > 0;
