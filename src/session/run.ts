import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import type { Measurement } from "../model/measurement.ts";
import type { Results } from "../model/results.ts";
import type { PowerMean, Sink } from "../model/sink.ts";
import type { Interference } from "../rig/conditions.ts";
import type { Rig } from "../rig/rig.ts";
import { type SessionFile, writeJson } from "../store/session-file.ts";
import { analyzeSession } from "./analysis.ts";
import { Bench } from "./bench.ts";
import { conduct, type Stage } from "./course.ts";
import type { DeviceLink } from "./device-link.ts";
import type { Work } from "./engine-work.ts";
import { createSessionFolder, type SessionFolder, writeEvents } from "./folder.ts";
import { checkSpace, reserveOf } from "./forecast.ts";
import { provisional } from "./live.ts";
import { powerMeans } from "./means.ts";
import { sendLeftovers } from "./resend.ts";
import { closeSinks, feedSinks, openSinks, type SinksClosed } from "./sinks.ts";

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
  readonly sinks: SinksClosed;
}

/** What the session file says beside the rig: the whole plan of an experiment's cell, and what was found before it. */
export interface RunRecord {
  readonly plan: unknown;
  readonly facts: SessionFile["identities"];
}

interface RunOptions {
  readonly signal: AbortSignal;
  readonly watcher?: RunWatcher;
  readonly record?: RunRecord;
  /** An engine of the rig is driven, instead of the device's own workload. */
  readonly work?: Work;
  /** Runs beside the work. */
  readonly interference?: Interference;
  /** Given the device once it is reached. */
  readonly met?: (device: DeviceLink) => void;
  /** Called when the course is over or has failed, before anything is closed. */
  readonly over?: () => void;
}

/**
 * Measures one session: idle, workload, idle; then computes the final results from the tape.
 *
 * @param signal ends the session early, in order, with everything kept
 * @throws JoulebenchError when it never began, because of the rig or before anything was received; then nothing is kept
 */
export async function run(rig: Rig, out: string | undefined, options: RunOptions): Promise<RunOutcome> {
  const folder = createSessionFolder(rig.name, out);
  try {
    return await runIn(folder, rig, options);
  } finally {
    folder.release();
  }
}

async function runIn(folder: SessionFolder, rig: Rig, options: RunOptions): Promise<RunOutcome> {
  const { signal, watcher = {}, record, work, interference, met, over = () => {} } = options;
  const { plan, facts } = record ?? { plan: rig.plan, facts: {} };
  const describe = (state: SessionFile["state"], identities: SessionFile["identities"] = {}): void =>
    folder.describe({ state, origin: { run: true }, rig, plan, identities: { ...facts, ...identities } });
  const notice = (message: string): void => watcher.notice?.(message);
  const bench = orDiscard(folder, () => openBench(folder, rig, notice));
  const sinks = orDiscard(folder, () => openSinks(rig, { ...folder, plan }, notice));
  describe("recording");
  const identities: Record<string, Readonly<Record<string, string | number>>> = {};
  bench.streams.observations$.subscribe((each) => {
    if (each.type === "identity") identities[each.source] = each.facts;
  });
  watch(bench, rig, { watcher, sinks });
  bench.failure$.subscribe({ error: over });
  let failure: JoulebenchError | undefined;
  try {
    failure = await failureOf(
      conduct(bench, rig, {
        signal,
        stage: (...stage) => watcher.stage?.(...stage),
        notice,
        ...(work ? { work } : {}),
        ...(interference ? { interference } : {}),
        ...(met ? { met } : {}),
      }),
    );
  } finally {
    over();
    watcher.stage?.("closing", undefined);
    await bench.close();
  }
  const interrupted = signal.aborted;
  if (failure && !interrupted && !bench.hasBegun && (bench.isSilent || failure.kind === "config")) {
    await Promise.all(sinks.map((sink) => sink.close()));
    folder.discard();
    throw failure;
  }
  describe(interrupted || failure ? "interrupted" : "closed", identities);
  watcher.stage?.("analysing", undefined);
  const results = keepResults(folder.dir);
  const closed = await closeSinks(sinks, folder.dir, results);
  if (sinks.length > 0 && closed.waiting.length === 0) await sendLeftovers(folder.dir, notice, signal);
  return { dir: folder.dir, results, ...(failure ? { failure } : {}), interrupted, sinks: closed };
}

/** Means of power that are shown, per second. */
const SHOWN_HZ = 10;

/** The bench with its tape, once there is space for both. */
function openBench({ dir }: SessionFolder, rig: Rig, notice: (message: string) => void): Bench {
  const warning = checkSpace(rig, dir);
  if (warning !== undefined) notice(warning);
  return new Bench(rig, join(dir, "tape"), {
    onRefusal: "pause",
    reserve_bytes: reserveOf(rig),
    compressed: rig.keep_tape === "compressed",
    isBulk: ({ source, kind }) => kind === "tick" || ((kind === "rx" || kind === "tx") && source in rig.instruments),
    notice,
  });
}

/** Shows what happens to whoever watches, and to the sinks. */
function watch(bench: Bench, rig: Rig, { watcher, sinks }: { watcher: RunWatcher; sinks: readonly Sink[] }): void {
  feedSinks(sinks, bench.streams);
  powerMeans(bench.streams.blocks$, SHOWN_HZ).subscribe((mean) => {
    if (mean.source === rig.measurand) watcher.power?.(mean);
  });
  provisional(bench.streams, rig).subscribe((each) => watcher.provisional?.(each));
  bench.streams.faults$.subscribe(({ source, code, detail = "the port was lost" }) => {
    if (code === "link_failed")
      watcher.notice?.(`${detail.startsWith(source) ? detail : `${source}: ${detail}`}; opening it again, the gap is recorded`);
    else if (code === "link_reopened") watcher.notice?.(`${source}: opened again`);
  });
}

/** The error that ended a course; what is no JoulebenchError is a slip of the program and stays thrown. */
const failureOf = (course: Promise<void>): Promise<JoulebenchError | undefined> =>
  course.then(
    () => undefined,
    (error: unknown) => (error instanceof JoulebenchError ? error : Promise.reject(error)),
  );

function orDiscard<T>(folder: SessionFolder, act: () => T): T {
  try {
    return act();
  } catch (error) {
    folder.discard();
    throw error;
  }
}

/** Computes the final results of a folder and writes them into it. */
export function keepResults(dir: string): Results {
  const { results, recording } = analyzeSession(dir);
  writeEvents(dir, recording.events);
  writeJson(join(dir, "results.json"), results);
  return results;
}
