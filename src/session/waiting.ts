import { firstValueFrom, fromEvent, merge, timer } from "rxjs";
import { JoulebenchError } from "../model/errors.ts";
import type { Bench } from "./bench.ts";
import type { DeviceProcess } from "./device-process.ts";

export const aborted = (signal: AbortSignal): Promise<unknown> =>
  signal.aborted ? Promise.resolve() : firstValueFrom(fromEvent(signal, "abort"));

/** Lets host time pass, unless the session fails or is interrupted. */
export const pause = (bench: Bench, duration_s: number, signal: AbortSignal): Promise<unknown> =>
  firstValueFrom(merge(timer(duration_s * 1000), aborted(signal), bench.failure$));

/** How long a workload may take, and the key of the plan that says so. */
export interface WorkloadLimit {
  readonly seconds: number;
  readonly key: string;
}

/** Resolves when the workload says that it is done or ends well. @throws JoulebenchError `link` when it ends badly or not at all */
export async function workloadEnd(bench: Bench, process: DeviceProcess, limit: WorkloadLimit): Promise<void> {
  const { seconds, key } = limit;
  const late = (): JoulebenchError =>
    workloadFailure(`neither said {"type":"done"} nor ended within ${seconds} s; raise ${key}, or look why it hangs`);
  const ended = process.exit.then(async (code) => {
    if (code !== 0) throw workloadFailure(`${howEnded(code)}${await process.lastWords()}`);
  });
  await Promise.race([bench.until((each) => each.type === "done", { ms: seconds * 1000, late }), ended]);
}

export const workloadFailure = (message: string): JoulebenchError => new JoulebenchError("link", "the workload", message);

export const howEnded = (code: number | null): string => (code === null ? "was ended by a signal" : `ended with exit code ${code}`);
