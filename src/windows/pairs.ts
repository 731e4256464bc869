import type { Fault } from "../model/errors.ts";
import type { Window } from "../model/measurement.ts";
import { OUTCOME_FLAGS } from "./draft.ts";
import { Enclosing } from "./stages.ts";
import { defect, sameStamp, type TimedEvent } from "./timed.ts";

/**
 * Windows of loads and units: what a start and the next end of the same name enclose.
 *
 * A unit that names a phase inside a request or a larger unit is a stage of it ({@link Enclosing}).
 *
 * A second start while one is open replaces it, and the first is unpaired.
 */
export function pairs(timed: readonly TimedEvent[], faults: Fault[]): Window[] {
  const open = new Map<string, TimedEvent>();
  const ended = new Map<string, TimedEvent>();
  const enclosing = new Enclosing();
  const windows: Window[] = [];
  for (const here of timed) {
    const stage = enclosing.stageOf(here);
    const [phase, edge] = here.event.type.split("_");
    if (phase !== "load" && phase !== "unit") continue;
    const key = JSON.stringify([phase, here.event.request, here.event.unit, stage?.name]);
    const start = open.get(key);
    const same = edge === "start" ? start : start ? undefined : ended.get(key);
    if (sameStamp(same, here)) {
      faults.push(defect(here, "duplicate_event", 1, `${name(here)} came twice`));
    } else if (edge === "start") {
      if (start) faults.push(defect(start, "unpaired_event", 1, `${name(start)} has no ${phase}_end`));
      open.set(key, here);
    } else if (!start) {
      faults.push(defect(here, "unpaired_event", 1, `${name(here)} has no ${phase}_start`));
    } else {
      open.delete(key);
      ended.set(key, here);
      if (here.at_s < start.at_s) faults.push(defect(here, "late_event", 1, `${name(here)} is stamped before its start`));
      else windows.push({ ...windowOf(phase, start, here), ...(stage ? { stage: stage.name, request: stage.of } : {}) });
    }
  }
  for (const start of open.values()) faults.push(defect(start, "unpaired_event", 1, `${name(start)} has no end`));
  return windows;
}

/** Units done count from the end's `count`, else the start's, else one; a load does no countable work. What ended badly is invalid. */
function windowOf(phase: "load" | "unit", start: TimedEvent, end: TimedEvent): Window {
  const { unit, correct } = { ...start.event, ...end.event };
  const { outcome = "ok" } = end.event;
  return {
    phase,
    request: start.event.request,
    start_s: start.at_s,
    end_s: end.at_s,
    tokens: phase === "load" ? 0 : (end.event.count ?? start.event.count ?? 1),
    ...(unit === undefined ? {} : { unit }),
    ...(correct === undefined ? {} : { correct }),
    flags: outcome === "ok" ? [] : [OUTCOME_FLAGS[outcome], "INVALID"],
  };
}

const name = ({ event }: TimedEvent): string => [event.type, event.unit, event.phase, event.request].filter(Boolean).join(" ");
