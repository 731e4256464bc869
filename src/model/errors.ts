/**
 * Every failure asks one of four things of the caller, so there are four kinds: `config` fix the rig or the
 * command; `link` reopen, the gap is recorded; `protocol` wrong device or firmware, stop this source; `sink`
 * results could not be kept.
 */
export type ErrorKind = "config" | "link" | "protocol" | "sink";

export class JoulebenchError extends Error {
  readonly kind: ErrorKind;
  /** What failed, as the user names it: `meter@/dev/ttyUSB0`, `rigs/pi5.yaml`. */
  readonly subject: string;

  constructor(kind: ErrorKind, subject: string, message: string, options?: ErrorOptions) {
    super(`${subject}: ${message}`, options);
    this.name = "JoulebenchError";
    this.kind = kind;
    this.subject = subject;
  }
}

/** Defects that data can have, with the sentence a report prints for each. */
export const FAULTS = {
  lost_samples: "samples the instrument took and we never got",
  bad_frame: "frames that failed their checksum or their layout, and were dropped whole",
  i2c_error: "bus errors the bridge met while reading the sensor",
  ring_overrun: "samples the bridge could not send in time",
  stale_sample: "samples read before the sensor had converted anew",
  over_range: "samples at the end of the sensor's range: the true value may be larger",
  arithmetic_overflow: "samples whose overflow bit was set",
  source_restarted: "restarts of the source: its clock began anew",
  source_silent: "times the source stopped sending",
  link_reopened: "times the link was opened again",
  link_failed: "times the link failed",
  unread_line: "lines that no parser understood",
  late_event: "events stamped before the one preceding them",
  duplicate_event: "events that came twice",
  unpaired_event: "events whose start or end is missing",
  clock_unmapped: "stretches of data whose clock could not be fitted",
  clock_step: "jumps of a device's clock, or sleeps that it did not count",
  clock_restart: "times the ticks of a source lost their relation to time and were fitted anew",
  clock_disagreement: "clocks whose two estimators disagree by more than 0.5 ms",
  ping_lost: "pings without an answer",
  sync_suspect: "checks of power against events that failed: the two do not share a time",
  tape_truncated: "bytes at the end of the tape that form no whole record",
  tape_missing: "records that could not be kept, as the disk took nothing, and were counted",
  tape_suspect: "records of which the disk did not say that it has them, before it failed",
  gap: "gaps in a recorded trace",
  known_defect: "known defects of the program that recorded this, each described",
  sink_refused: "points a sink could not take",
} as const;

export type FaultCode = keyof typeof FAULTS;

/** A defect in the data, not in the program: counted, stored with the session, printed beside results, never thrown. */
export interface Fault {
  readonly source: string;
  readonly code: FaultCode;
  readonly count: number;
  /** Session time at which it was noticed. */
  readonly at_s: number;
  readonly detail?: string;
}
