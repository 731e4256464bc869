import { join } from "node:path";
import { firstValueFrom, fromEvent, merge, timer } from "rxjs";
import { JoulebenchError } from "../model/errors.ts";
import type { Measurement } from "../model/measurement.ts";
import type { Results } from "../model/results.ts";
import type { PowerMean } from "../model/sink.ts";
import type { Rig } from "../rig/rig.ts";
import { type SessionFile, writeJson } from "../store/session-file.ts";
import { analyzeSession } from "./analysis.ts";
import { Bench } from "./bench.ts";
import { createSessionFolder, writeEvents } from "./folder.ts";
import { powerMeans, provisional } from "./live.ts";
import { closeSinks, feedSinks, openSinks } from "./sinks.ts";

/** Pings before and after a session, and in each burst between. */
const OUTER_PINGS = 64;
const BURST_PINGS = 16;

export type Stage = "opening" | "idle" | "workload" | "settling" | "closing" | "analysing";

/** What a run tells whoever watches. */
export interface RunWatcher {
  /** @param lasts_s how long the stage will take, where that is known */
  stage?(stage: Stage, lasts_s: number | undefined): void;
  power?(mean: PowerMean): void;
  provisional?(measurement: Measurement): void;
  /** Something is wrong that does not end the measurement. */
  notice?(message: string): void;
}

export interface RunOutcome {
  readonly dir: string;
  readonly results: Results;
  /** What ended the session before its time; everything recorded until then was kept and analysed. */
  readonly failure?: JoulebenchError;
  readonly interrupted: boolean;
  readonly sinksRefused: readonly string[];
}

/**
 * Measures one session: idle, workload, idle; then computes the final results from the tape.
 *
 * @param signal ends the session early, in order, with everything kept
 * @throws JoulebenchError when nothing could be measured at all
 */
export async function run(
  rig: Rig,
  out: string | undefined,
  { signal, watcher = {} }: { signal: AbortSignal; watcher?: RunWatcher },
): Promise<RunOutcome> {
  const folder = createSessionFolder(rig.name, out);
  const describe = (state: SessionFile["state"], identities: SessionFile["identities"] = {}): void =>
    folder.describe({ state, origin: { run: true }, rig, plan: rig.plan, identities });
  describe("recording");
  const sinks = openSinks(rig, folder, (message) => watcher.notice?.(message));
  const bench = new Bench(rig, join(folder.dir, "tape"));
  const identities: Record<string, Readonly<Record<string, string | number>>> = {};
  bench.streams.observations$.subscribe((each) => {
    if (each.type === "identity") identities[each.source] = each.facts;
  });
  const means$ = powerMeans(bench.streams.blocks$, rig);
  feedSinks(sinks, bench.streams, means$);
  means$.subscribe((mean) => watcher.power?.(mean));
  provisional(bench.streams, rig).subscribe((each) => watcher.provisional?.(each));
  const failure = await conduct(bench, rig, { signal, watcher }).then(
    () => undefined,
    (error: unknown) => (error instanceof JoulebenchError ? error : Promise.reject(error)),
  );
  watcher.stage?.("closing", undefined);
  await bench.close();
  const interrupted = signal.aborted;
  describe(interrupted || failure ? "interrupted" : "closed", identities);
  watcher.stage?.("analysing", undefined);
  const results = keepResults(folder.dir);
  const sinksRefused = await closeSinks(sinks, results);
  return { dir: folder.dir, results, ...(failure ? { failure } : {}), interrupted, sinksRefused };
}

/** Computes the final results of a folder and writes them into it. */
export function keepResults(dir: string): Results {
  const { results, recording } = analyzeSession(dir);
  writeEvents(dir, recording.events);
  writeJson(join(dir, "results.json"), results);
  return results;
}

type Conduct = { readonly signal: AbortSignal; readonly watcher: RunWatcher };

async function conduct(bench: Bench, rig: Rig, { signal, watcher }: Conduct): Promise<void> {
  const { plan } = rig;
  watcher.stage?.("opening", undefined);
  await bench.open();
  const device = rig.device ? await bench.openDevice() : undefined;
  await device?.ping(OUTER_PINGS);
  const bursts = device && timer(plan.ping_every_s * 1000, plan.ping_every_s * 1000).subscribe(() => void device.ping(BURST_PINGS));
  const betweenRequests =
    device &&
    bench.streams.events$.subscribe(({ event }) => {
      if (event.type === "request_end") void device.ping(BURST_PINGS);
    });
  try {
    await idle(bench, plan.baseline_s, { signal, watcher });
    if (signal.aborted) return bench.mark("interrupted");
    watcher.stage?.("workload", device ? undefined : plan.timeout_s);
    bench.mark("workload_start");
    if (device) {
      const ended = workloadEnd(bench, device.exit, plan.timeout_s * 1000);
      await device.send("start");
      await Promise.race([ended, aborted(signal)]);
    } else await pause(bench, plan.timeout_s, signal);
    bench.mark(signal.aborted ? "interrupted" : "workload_end");
    watcher.stage?.("settling", plan.settle_s);
    if (!signal.aborted) await pause(bench, plan.settle_s, signal);
    await idle(bench, plan.after_s, { signal, watcher });
  } finally {
    bursts?.unsubscribe();
    betweenRequests?.unsubscribe();
    await device?.ping(OUTER_PINGS);
  }
}

async function idle(bench: Bench, duration_s: number, { signal, watcher }: Conduct): Promise<void> {
  if (duration_s <= 0 || signal.aborted) return;
  watcher.stage?.("idle", duration_s);
  bench.mark("idle_start");
  await pause(bench, duration_s, signal);
  bench.mark("idle_end");
}

const aborted = (signal: AbortSignal): Promise<unknown> =>
  signal.aborted ? Promise.resolve() : firstValueFrom(fromEvent(signal, "abort"));

/** Lets host time pass, unless the session fails or is interrupted. */
const pause = (bench: Bench, duration_s: number, signal: AbortSignal): Promise<unknown> =>
  firstValueFrom(merge(timer(duration_s * 1000), aborted(signal), bench.failure$));

/** Resolves when the workload says that it is done or ends well. @throws JoulebenchError `link` when it ends badly or not at all */
async function workloadEnd(bench: Bench, exit: Promise<number | null>, limit_ms: number): Promise<void> {
  const ended = exit.then((code) => {
    if (code !== 0)
      throw new JoulebenchError(
        "link",
        "the workload",
        code === null ? "was ended by a signal" : `ended with exit code ${code}; what it printed is on the tape`,
      );
  });
  await Promise.race([bench.until((each) => each.type === "done", limit_ms), ended]);
}
