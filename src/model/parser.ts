import type { HostNs } from "./clock.ts";
import type { InferenceEvent } from "./event.ts";

/**
 * Whose clock stamped a logged event.
 *
 * `device`: the clock of the device's pongs, whichever that is. `realtime`, `monotonic`, `boottime`: the clock of that
 * name of a POSIX system. `log`: seconds since the engine began its log, which says nothing of any other clock. `host`:
 * seconds of the session, as of arrival here: later than the instant by the shortest way of a line.
 */
export type EventClock = "device" | "realtime" | "monotonic" | "boottime" | "log" | "host";

/** An event as its line tells it; which source and epoch its clock is, whoever reads the line knows. */
export interface LoggedEvent extends Omit<InferenceEvent, "source" | "epoch"> {
  /** The clock `tick` counts on, in seconds; `device` where it is left out. */
  readonly clock?: EventClock;
  /** The same instant on other clocks, seconds, where the line tells more than one. */
  readonly stamps?: Readonly<Partial<Record<"realtime" | "monotonic" | "boottime", number>>>;
  /** When its line arrived, where a parser gives it later than that: arrivals relate the clock of a log to the session's. */
  readonly host_ns?: HostNs;
  /** For the clock `log`: which log of this session, from 0; an engine that is started again begins another. */
  readonly log?: number;
}

/** Reads one engine's log. Pure: a line in, events out, live and replayed alike. */
export interface EventParser {
  /**
   * A line the engine printed, and when it arrived.
   *
   * @returns undefined when the line is not this engine's; no events for lines that are its, but tell nothing
   */
  push(line: string, host_ns: HostNs): readonly LoggedEvent[] | undefined;
  /** A line that went to the engine, and when: requests are told apart by it. Absent where a log tells all by itself. */
  sent?(line: string, host_ns: HostNs): readonly LoggedEvent[];
  /** The channel is closed: what is still held. */
  end(): readonly LoggedEvent[];
}

export interface EventParserKind {
  readonly kind: string;
  readonly summary: string;
  readonly open: () => EventParser;
}
