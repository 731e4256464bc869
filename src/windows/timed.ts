import type { SessionSeconds } from "../model/clock.ts";
import type { Fault, FaultCode } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";

/** An event and its session time. */
export interface TimedEvent {
  readonly event: InferenceEvent;
  readonly at_s: SessionSeconds;
}

/** Whether two events carry the same stamp of the same clock. */
export const sameStamp = (a: TimedEvent | undefined, b: TimedEvent): boolean =>
  a?.event.tick === b.event.tick && a.event.epoch === b.event.epoch;

/** A defect noticed at an event. */
export function defect({ event, at_s }: TimedEvent, code: FaultCode, count: number, detail: string): Fault {
  return { source: event.source, code, count, at_s, detail };
}
