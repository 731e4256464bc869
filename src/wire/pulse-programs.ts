import { PULSE_CODE } from "./pulses.ts";
import type { ClockMethod } from "./responder.ts";

/*
 * Load pulses on a device whose workload makes none: programs for what reads a clock there, each on the clock of the
 * responder of the same method (responder.ts). One core is busy: that is a step of a watt or so on a phone or a Pi.
 */

/** Arguments: the lengths in milliseconds, pulse, pause, pulse, … pulse. */
const PYTHON = `
import sys, time
boottime = getattr(time, "CLOCK_BOOTTIME", 7 if sys.platform.startswith("linux") else None)
clock = time.CLOCK_MONOTONIC if boottime is None else boottime
now = lambda: time.clock_gettime(clock)
for at, length in enumerate(int(each) / 1000 for each in sys.argv[1:]):
    if at % 2:
        time.sleep(length)
        continue
    start = now()
    while now() < start + length: pass
    print('{"type":"pulse","on_s":%.9f,"off_s":%.9f,"clock":"pongs"}' % (start, now()), flush=True)
print('{"type":"pulses_done"}', flush=True)
`;

/** Microseconds are counted apart from seconds, in numbers of seven digits: mksh counts in 32 bits, and 08 is no number. */
const SHELL = `
LC_ALL=C
at=0
for length; do
  if [ $at = 1 ]; then at=0; padded=$((1000 + length)); sleep "0.\${padded#1}"; continue; fi
  at=1
  start=$EPOCHREALTIME
  seconds=\${start%.*}; micros=$((1\${start#*.} - 1000000 + length * 1000))
  [ $micros -lt 1000000 ] || { micros=$((micros - 1000000)); seconds=$((seconds + 1)); }
  micros=$((micros + 1000000))
  until=$seconds.\${micros#1}
  while now=$EPOCHREALTIME; [ "\${now%.*}" -lt "$seconds" ] || { [ "\${now%.*}" = "$seconds" ] && [ "1\${now#*.}" -lt $micros ]; }; do :; done
  echo "{\\"type\\":\\"pulse\\",\\"on_s\\":$start,\\"off_s\\":$now,\\"clock\\":\\"pongs\\"}"
done
echo '{"type":"pulses_done"}'`;

const LENGTHS: readonly string[] = PULSE_CODE.flatMap(({ on_s, off_s }, k) => {
  const next = PULSE_CODE[k + 1];
  return [off_s - on_s, ...(next ? [next.on_s - off_s] : [])].map((length_s) => String(Math.round(length_s * 1000)));
});

/**
 * The program that makes a train of pulses where a responder answers pings; its clock is the responder's.
 *
 * @param shell which answers, for `epochrealtime`: `["sh"]`, `["busybox", "sh"]`, …
 * @returns undefined where no clock can be read without starting a process, which would blur the pulses
 */
export function pulseProgram(method: ClockMethod, shell: readonly string[]): readonly string[] | undefined {
  if (method === "python3") return ["python3", "-I", "-S", "-u", "-c", PYTHON, ...LENGTHS];
  return method === "epochrealtime" ? [...shell, "-c", SHELL, "sh", ...LENGTHS] : undefined;
}
