import type { InferenceEvent } from "../model/event.ts";

/** Requests of this phase, or whose name begins so, only bring the device to its working state. */
export const WARM_UP_PHASE = "warm-up";
const WARM_UP_NAME = "warmup-";

/** Events that are measured: those of a warm-up stay in the recording, and no window is cut from them. */
export const withoutWarmUp = (events: readonly InferenceEvent[]): readonly InferenceEvent[] =>
  events.filter(({ phase, request }) => phase !== WARM_UP_PHASE && !request.startsWith(WARM_UP_NAME));
