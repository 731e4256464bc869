import type { EngineAnswer, EngineContext } from "../model/engine.ts";

/** How long something may take: until its limit, or until the session is ended. */
export interface Patience {
  readonly signal: AbortSignal;
  readonly limit_s: number;
}

export const patience = ({ signal }: EngineContext, limit_s: number): Patience => ({
  signal: AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(limit_s * 1000))]),
  limit_s,
});

/** What `promise` gives, or `undefined` when patience runs out before. */
export async function within<T>(promise: Promise<T>, { signal }: Patience): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  let stop = (): void => {};
  const late = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The answer to a request that was given up. */
export function givenUp({ signal, limit_s }: Patience, text: string): EngineAnswer {
  const isLate = signal.reason instanceof Error && signal.reason.name === "TimeoutError";
  return { outcome: "timeout", text, detail: isLate ? `not done within ${limit_s} s` : "the session was ended" };
}

export const pause = (duration_ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, duration_ms));
