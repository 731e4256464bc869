import { firstValueFrom, fromEvent, merge, timer } from "rxjs";
import { JoulebenchError } from "../model/errors.ts";
import type { Bench } from "./bench.ts";
import type { DeviceProcess } from "./device-process.ts";
import type { Workload } from "./workload.ts";

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
    new WorkloadFailure(`neither said {"type":"done"} nor ended within ${seconds} s; raise ${key}, or look why it hangs`);
  const ended = process.exit.then(async (code) => {
    if (code !== 0) throw new WorkloadFailure(`${howEnded(code)}${await process.lastWords()}`);
  });
  await Promise.race([bench.until((each) => each.type === "done", { ms: seconds * 1000, late }), ended]);
}

/** Resolves with what `act` gives, unless something ends the session before. */
export function unlessFailed<T>(bench: Bench, act: Promise<T>): Promise<T> {
  act.catch(() => undefined); // Heard below, unless the session fails before.
  return Promise.race([act, firstValueFrom(bench.failure$)]);
}

/** Resolves when an engine has done its work, warm-up first. @throws JoulebenchError `link` when it is lost, or takes too long */
export async function drivenEnd(bench: Bench, driven: Workload, { seconds, key }: WorkloadLimit, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const late = pause(bench, seconds, AbortSignal.any([signal, over.signal])).then(() => {
    if (!signal.aborted && !over.signal.aborted)
      throw new WorkloadFailure(`did not end within ${seconds} s; raise ${key}, or ask for less`);
  });
  late.catch(() => undefined); // Heard below, unless the work is done before.
  const done = driven.warmUp().then(() => driven.work());
  try {
    await Promise.race([unlessFailed(bench, done), late]);
  } catch (error) {
    driven.giveUp();
    await done.catch(() => undefined); // The error at hand came first.
    throw error;
  } finally {
    over.abort();
  }
}

/** The workload did not do what it had to, over a link that was there: measuring it again would give the same. */
export class WorkloadFailure extends JoulebenchError {
  constructor(message: string) {
    super("link", "the workload", message);
  }
}

/** What was measured was cut short from outside, so that it can be measured again. */
export const isLinkLost = (error: JoulebenchError): boolean => error.kind === "link" && !(error instanceof WorkloadFailure);

export const howEnded = (code: number | null): string => (code === null ? "was ended by a signal" : `ended with exit code ${code}`);
