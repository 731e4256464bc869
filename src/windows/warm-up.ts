import type { InferenceEvent } from "../model/event.ts";

/** Requests of this phase, or whose name begins so, only bring the device to its working state. */
export const WARM_UP_PHASE = "warm-up";
const WARM_UP_NAME = "warmup-";

/**
 * Events that are measured: those of a warm-up stay in the recording, and no window is cut from them. A stage that
 * names no request is of the warm-up that is open when it comes. One that died is over when a measured one begins.
 */
export function withoutWarmUp(events: readonly InferenceEvent[]): readonly InferenceEvent[] {
  const open = new Map<string, number>();
  return events.filter(({ type, source, phase, request }) => {
    const isBegin = type === "unit_start" || type === "request_start";
    const isWarmUp = phase === WARM_UP_PHASE || request.startsWith(WARM_UP_NAME);
    if (isBegin && !isWarmUp && request !== "") open.delete(source);
    const count = open.get(source) ?? 0;
    if (!isWarmUp) return count === 0 || request !== "" || phase === undefined;
    if (isBegin) open.set(source, count + 1);
    else if (type === "unit_end" || type === "request_end") open.set(source, Math.max(0, count - 1));
    return false;
  });
}
