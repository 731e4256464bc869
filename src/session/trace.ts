import { readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TimeMap } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Recording } from "../model/recording.ts";
import { readSessionFile, type SessionFile } from "../store/session-file.ts";
import { type Manifest, readManifest, writeManifest } from "../store/trace-manifest.ts";
import { TraceWriter } from "../store/trace-writer.ts";
import { recordingOf } from "./analysis.ts";

/** The trace of a session: what is measured, as files that databases and plots read. */
export const traceDir = (dir: string): string => join(dir, "trace");

export interface TraceOptions {
  /** The session's own, where it is at hand. */
  readonly recording?: Recording;
  /** Told how far the trace has come, in session seconds. */
  readonly progress?: (at_s: number) => void;
}

/**
 * Makes the trace of a session from its tape, unless this version has made it already.
 *
 * It is written beside its place and put there when it is whole, so that there is never half of one.
 *
 * @throws JoulebenchError `sink` when the disk refuses; tape and results are as they were
 */
export async function makeTrace(dir: string, options: TraceOptions = {}): Promise<Manifest> {
  const found = readManifest(traceDir(dir));
  if (found) return found;
  const session = readSessionFile(dir);
  const recording = options.recording ?? recordingOf(dir, session);
  removeLeftovers(dir);
  const fresh = join(dir, `trace.${process.pid}.tmp`);
  try {
    await write(fresh, session, recording, options.progress);
    rmSync(traceDir(dir), { recursive: true, force: true });
    renameSync(fresh, traceDir(dir));
  } catch (cause) {
    rmSync(fresh, { recursive: true, force: true });
    if (cause instanceof JoulebenchError || !(cause instanceof Error) || !("code" in cause)) throw cause;
    throw new JoulebenchError("sink", traceDir(dir), `cannot be written (${cause.message}); the tape holds everything`, { cause });
  }
  return readManifest(traceDir(dir))!;
}

/**
 * Makes a trace where its lack is no failure: the results are kept, and it can be made from the tape at any time.
 *
 * @returns a sentence where it could not be made
 */
export async function tryTrace(dir: string, options: TraceOptions = {}): Promise<string | undefined> {
  try {
    await makeTrace(dir, options);
    return undefined;
  } catch (error) {
    if (!(error instanceof JoulebenchError)) throw error;
    return `no trace was made: ${error.message}; later: joulebench export ${dir} --format parquet`;
  }
}

async function write(
  trace: string,
  { session, wallStart_ns }: SessionFile,
  { maps, clocks, measurand, blocks }: Recording,
  progress: TraceOptions["progress"],
): Promise<void> {
  const longest = measurand?.longestStep === undefined ? {} : { [measurand.source]: measurand.longestStep };
  const writer = new TraceWriter(trace, { session, wallStart_ns, clocks }, longest);
  try {
    let map: TimeMap | undefined;
    for (const block of blocks()) {
      if (map?.source !== block.source || map.epoch !== block.epoch)
        map = maps.find((each) => each.source === block.source && each.epoch === block.epoch);
      // Without a map it has no place in session time; the results say so as a fault.
      if (!map || block.length === 0) continue;
      await writer.add(block, map);
      progress?.((block.startTick - map.pieces[0]!.fromTick) / map.pieces[0]!.rate_hz + map.pieces[0]!.t0_s);
    }
    writeManifest(trace, session, await writer.close());
  } finally {
    await writer.abandon();
  }
}

/** Takes away what processes that are no more have left unfinished. */
function removeLeftovers(dir: string): void {
  for (const name of readdirSync(dir)) {
    const pid = /^trace\.(\d+)\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isOther(Number(pid))) rmSync(join(dir, name), { recursive: true, force: true });
  }
}

/** True of a process that lives and is not this one. */
function isOther(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
