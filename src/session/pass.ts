import { setTimeout as sleep } from "node:timers/promises";

/** Lets host time pass; ends early, and well, when `signal` is aborted. */
export async function pass(duration_s: number, signal: AbortSignal): Promise<void> {
  await sleep(duration_s * 1000, undefined, { signal }).catch(() => undefined);
}
