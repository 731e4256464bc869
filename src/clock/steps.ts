import type { Ping } from "../model/ping.ts";
import { isCausal, midpoint_s, roundTrip_s, shortestPerBurst } from "./ping-filter.ts";

/** A jump of the device's clock against the session's: set by hand or by a time service, or a sleep it did not count. */
export interface ClockStep {
  /** The last answer known to come before it and the first known to come after it were received then, session time. */
  readonly from_s: number;
  readonly to_s: number;
  /** How far the device's clock jumped ahead; negative when it went back. */
  readonly size_s: number;
}

/** No oscillator in a device under test is further off than this. */
const WORST_RATE = 500e-6;

/**
 * Cuts pings where the device's clock jumped; each part is a clock of its own and takes an epoch of its own.
 *
 * A ping bounds the clock to half its round trip either way. Two bursts whose bounds cannot both be true of one
 * clock, whatever its rate within 500 ppm, have a jump between them - if a second burst on either side says so too;
 * a single burst that disagrees is a corrupt stamp. Jumps smaller than the round trip and 500 ppm of the time between
 * three bursts stay unseen here; they widen the bound of a fit, or leave it without a corridor.
 *
 * @param pings in the order sent
 */
export function splitAtSteps(pings: readonly Ping[]): { segments: Ping[][]; steps: ClockStep[] } {
  const runs = runsOfAgreement(shortestPerBurst(pings.filter(isCausal)));
  const starts = [0];
  const steps = runs.slice(1).map((run, k): ClockStep => {
    const before = runs[k]!.at(-1)!;
    const after = run[0]!;
    const start = firstNearer(pings, before, after);
    starts.push(start);
    const last = pings.slice(0, start).findLast(isCausal) ?? before;
    const first = pings.slice(start).find(isCausal) ?? after;
    return { from_s: last.received_s, to_s: first.received_s, size_s: midpoint_s(before) - midpoint_s(after) };
  });
  return { segments: starts.map((start, k) => pings.slice(start, starts[k + 1])), steps };
}

/** Index of the first ping after `before` whose answer is nearer to that of `after`: the burst of `after` may have begun earlier. */
function firstNearer(pings: readonly Ping[], before: Ping, after: Ping): number {
  const distance_s = (a: Ping, b: Ping): number => Math.abs(midpoint_s(a) - midpoint_s(b));
  let start = pings.indexOf(after);
  while (pings[start - 1] !== before && isNearer(pings[start - 1]!)) start--;
  return start;

  function isNearer(ping: Ping): boolean {
    return !isCausal(ping) || distance_s(ping, after) < distance_s(ping, before);
  }
}

/** Groups bursts that one clock can have given; bursts that agree with neither neighbour are left out. */
function runsOfAgreement(bursts: readonly Ping[]): Ping[][] {
  const runs: Ping[][] = [];
  let doubtful: Ping | undefined;
  for (const burst of bursts) {
    const run = runs.at(-1);
    if (run?.slice(-WITNESSES).some((earlier) => agree(earlier, burst))) {
      run.push(burst);
      doubtful = undefined;
    } else if (doubtful && agree(doubtful, burst)) {
      runs.push([doubtful, burst]);
      doubtful = undefined;
    } else doubtful = burst;
  }
  return runs;
}

/** A burst may be a little wrong and yet agree with its neighbours: a step has to contradict this many. */
const WITNESSES = 2;

/** Whether one clock within {@link WORST_RATE} can have given both answers. */
function agree(a: Ping, b: Ping): boolean {
  const apart_s = Math.abs(midpoint_s(a) - midpoint_s(b));
  const allowed_s = (roundTrip_s(a) + roundTrip_s(b)) / 2 + WORST_RATE * (b.received_s - a.sent_s);
  return apart_s <= allowed_s;
}
