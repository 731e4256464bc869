import { readFileSync } from "node:fs";
import type { SessionSeconds } from "../../src/model/clock.ts";
import type { Fault } from "../../src/model/errors.ts";
import type { Window } from "../../src/model/measurement.ts";
import type { EventParserKind, LoggedEvent } from "../../src/model/parser.ts";
import { phases } from "../../src/windows/phases.ts";

/** Lines of a sample, without the remarks about where it comes from. */
export const sampleLines = (name: string): string[] =>
  readFileSync(new URL(`samples/${name}.txt`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => !/^## |^# (?:source|command|request): /.test(line));

/** A line and when it came, seconds of the session; `sent` for one that went out. */
export interface Heard {
  readonly line: string;
  readonly at_s: number;
  readonly sent?: boolean;
}

export interface Replayed {
  readonly events: readonly LoggedEvent[];
  /** Lines the parser does not know. */
  readonly unread: readonly string[];
}

export function replay(kind: EventParserKind, heard: readonly Heard[]): Replayed {
  const parser = kind.open();
  const events: LoggedEvent[] = [];
  const unread: string[] = [];
  for (const { line, at_s, sent } of heard) {
    const read = sent ? (parser.sent?.(line, Math.round(at_s * 1e9)) ?? []) : parser.push(line, Math.round(at_s * 1e9));
    if (read) events.push(...read);
    else unread.push(line);
  }
  events.push(...parser.end());
  return { events, unread };
}

/** Lines that come one after the other, a millisecond apart, the first after a second. */
export const evenly = (lines: readonly string[], from_s = 1, step_s = 1e-3): Heard[] =>
  lines.map((line, k) => ({ line, at_s: from_s + k * step_s }));

export const stated = (statement: object, at_s = 0): Heard => ({ line: JSON.stringify(statement), at_s, sent: true });

/** Windows of events that are all of one clock, which is the session's. */
export function cut(events: readonly LoggedEvent[]): { windows: readonly Window[]; faults: readonly Fault[] } {
  const piece = { fromTick: 0, t0_s: 0 as SessionSeconds, rate_hz: 1, u_s: 0, bound_s: 0 };
  const timed = events.map(({ clock: _clock, stamps: _stamps, log: _log, ...event }) => ({ ...event, source: "device", epoch: 0 }));
  return phases(timed, [{ source: "device", epoch: 0, pieces: [piece] }]);
}

/** One window of a kind. */
export const only = (windows: readonly Window[], phase: Window["phase"]): Window => {
  const found = windows.filter((window) => window.phase === phase);
  if (found.length !== 1) throw new Error(`${found.length} windows of ${phase}`);
  return found[0]!;
};
