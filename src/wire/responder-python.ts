/**
 * Pongs on CLOCK_BOOTTIME. It and CLOCK_MONOTONIC are never set, and NTP bends the rate of both alike, by what the
 * pings see as rate; but the monotonic clock stands still while the device sleeps, which cuts its map in two, and
 * /proc/uptime, by which a shell ties its clock, counts boottime. CLOCK_MONOTONIC_RAW is bent by nobody, but no
 * program stamps events with it. Systems without CLOCK_BOOTTIME (macOS) answer on CLOCK_MONOTONIC.
 *
 * Runs on Python 3.4, which knows clock 7 of Linux by number only. Seconds as floats lose less than a nanosecond of
 * boottime and 0.2 us of realtime, as they will here. The narrowest of eight ties is told: one that was interrupted is wide.
 */
export const PYTHON_PROGRAM = `
import os, sys, time
def read(clock): return time.clock_gettime(clock)
clocks = {"monotonic": time.CLOCK_MONOTONIC}
boottime = getattr(time, "CLOCK_BOOTTIME", 7 if sys.platform.startswith("linux") else None)
if boottime is not None: clocks["boottime"] = boottime
name = "boottime" if "boottime" in clocks else "monotonic"
clock = clocks[name]
def say(line): os.write(1, (line + "\\n").encode())
def tie():
    start = read(time.CLOCK_REALTIME)
    stamps = [(key, read(each)) for key, each in clocks.items()]
    return start, read(time.CLOCK_REALTIME), stamps
def told():
    ties = [each for each in (tie() for _ in range(8)) if each[0] <= each[1]]
    if not ties: return '{"type":"tie"}'
    start, end, stamps = min(ties, key=lambda each: each[1] - each[0])
    return '{"type":"tie","realtime_from_s":%.9f,"realtime_to_s":%.9f%s}' % (start, end, "".join(',"%s_s":%.9f' % each for each in stamps))
try:
    say('{"type":"clock","clock":"%s","method":"python3","resolution_s":%g,"forks":false,"ties":["realtime",%s]}'
        % (name, time.clock_getres(clock), ",".join('"%s"' % key for key in clocks)))
    for line in iter(sys.stdin.buffer.readline, b""):
        received = read(clock)
        word, _, number = line.partition(b" ")
        number = number[:-1]
        if word == b"ping" and line.endswith(b"\\n") and number.isdigit() and len(number) < 16:
            say('{"type":"pong","id":%d,"received_s":%.9f,"sent_s":%.9f}' % (int(number), received, read(clock)))
        elif line == b"tie\\n": say(told())
except (OSError, KeyboardInterrupt): pass
`;
