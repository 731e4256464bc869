import type { EventClock, LoggedEvent } from "../model/parser.ts";
import type { ClockTie, DeviceClockName, ResponderClock } from "../wire/responder.ts";
import type { Observation } from "./observation.ts";

/** An event's instant on a clock that can be mapped: that of the pongs, the host's, or that of an engine's log. */
export type Placed =
  | { readonly on: "pongs"; readonly tick: number; readonly u_s: number }
  | { readonly on: "host"; readonly tick: number }
  | { readonly on: "log"; readonly log: number; readonly tick: number };

/** Both clocks of one tie, seconds. */
interface Pair {
  readonly from_s: number;
  readonly to_s: number;
  readonly u_s: number;
}

interface Converted {
  readonly tick: number;
  readonly u_s: number;
}

/** Clocks that nobody sets come first. */
const NAMES: readonly DeviceClockName[] = ["boottime", "monotonic", "realtime"];

/**
 * Finds for every event the instant on a clock that is related to the session's.
 *
 * Pongs are on one clock of the device, and events may be stamped by another of its clocks: the responder reads several
 * at one instant, now and then, and between two such ties the difference of two clocks is taken to change evenly.
 */
export class EventClocks {
  readonly #stated: DeviceClockName | undefined;
  readonly #ties: ClockTie[] = [];
  #pongs: DeviceClockName | undefined;
  #forks = false;

  /** @param stated the clock of stamps that do not say theirs, as the rig names it; the pongs' where it does not */
  constructor(stated: DeviceClockName | undefined) {
    this.#stated = stated;
  }

  clock({ clock, forks }: ResponderClock): void {
    this.#pongs = clock;
    this.#forks = forks;
  }

  /** Pongs are stamped by starting a process, and late by that. */
  get forks(): boolean {
    return this.#forks;
  }

  tie(tie: ClockTie): void {
    this.#ties.push(tie);
  }

  /** @returns undefined when no tie relates its clock to that of the pongs */
  place({ tick, clock = "device", stamps = {}, log = 0 }: LoggedEvent): Placed | undefined {
    if (clock === "host") return { on: "host", tick };
    if (clock === "log") return { on: "log", log, tick };
    const same = this.#pongs === undefined ? undefined : stamps[this.#pongs];
    if (same !== undefined) return { on: "pongs", tick: same, u_s: 0 };
    // A stamp that does not say its clock counts only where no other does, and nobody has said it for it.
    const isNamed = clock !== "device" || this.#stated !== undefined || this.#pongs === undefined;
    const readings = NAMES.flatMap((name) => (stamps[name] === undefined ? [] : [() => this.convert(stamps[name]!, name)]));
    const direct = (): Converted | undefined => this.convert(tick, clock);
    for (const read of isNamed ? [direct, ...readings] : [...readings, direct]) {
      const converted = read();
      if (converted) return { on: "pongs", ...converted };
    }
    return undefined;
  }

  /** A reading of one of the device's clocks as its pongs would show it, and what the ties leave open. */
  convert(tick: number, clock: EventClock = "device"): Converted | undefined {
    const from = clock === "device" ? this.#stated : (clock as DeviceClockName);
    const to = this.#pongs;
    if (to === undefined || from === undefined || from === to) return { tick, u_s: 0 };
    const pairs = this.#ties.flatMap((tie) => pairOf(tie, from, to) ?? []);
    const after = pairs.find((pair) => pair.from_s >= tick) ?? pairs.at(-1);
    const before = pairs.findLast((pair) => pair.from_s <= tick) ?? pairs[0];
    if (!before || !after) return undefined;
    const share = after.from_s > before.from_s ? (tick - before.from_s) / (after.from_s - before.from_s) : 0;
    const [early_s, late_s] = [before.to_s - before.from_s, after.to_s - after.from_s];
    const off_s = early_s + Math.min(1, Math.max(0, share)) * (late_s - early_s);
    return { tick: tick + off_s, u_s: Math.max(before.u_s, after.u_s) };
  }
}

/** The clocks of every life of the clock that answers: a tie of one boot says nothing of another. */
export class ChannelClocks {
  readonly #stated: DeviceClockName | undefined;
  readonly #channels = new Map<number, EventClocks>();

  /** @param stated as for {@link EventClocks} */
  constructor(stated: DeviceClockName | undefined) {
    this.#stated = stated;
  }

  /** The clocks of the nth channel, counted from 0. */
  of(channel: number): EventClocks {
    const known = this.#channels.get(channel) ?? new EventClocks(this.#stated);
    this.#channels.set(channel, known);
    return known;
  }

  /** @returns whether `observation` was one of the device's clocks, which are known now */
  push(observation: Observation): boolean {
    if (observation.type === "clock") this.of(observation.channel).clock(observation.clock);
    else if (observation.type === "tie") this.of(observation.channel).tie(observation.tie);
    else return false;
    return true;
  }
}

function pairOf(tie: ClockTie, from: DeviceClockName, to: DeviceClockName): Pair | undefined {
  const [a, b] = [readingOf(tie, from), readingOf(tie, to)];
  return a && b ? { from_s: a.at_s, to_s: b.at_s, u_s: Math.hypot(a.u_s, b.u_s) } : undefined;
}

/** What a clock showed at the instant of a tie: the realtime clock was anywhere between its two readings (rectangular). */
function readingOf(tie: ClockTie, clock: DeviceClockName): { readonly at_s: number; readonly u_s: number } | undefined {
  const { realtimeFrom_s, realtimeTo_s } = tie;
  if (clock === "realtime") return { at_s: (realtimeFrom_s + realtimeTo_s) / 2, u_s: (realtimeTo_s - realtimeFrom_s) / Math.sqrt(12) };
  const at_s = clock === "monotonic" ? tie.monotonic_s : tie.boottime_s;
  return at_s === undefined ? undefined : { at_s, u_s: 0 };
}
