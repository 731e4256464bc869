import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeTrace, type TraceOptions, tryTrace } from "../session/trace.ts";
import type { Manifest } from "../store/trace-manifest.ts";
import { printable } from "./format.ts";
import { traceProgress } from "./trace-progress.ts";

const WHAT = "making the trace (Parquet and overviews)";

/** Makes the trace of a session whose results are out already; where it cannot be made, that is said and nothing more. */
export async function keepTrace(dir: string, options: Pick<TraceOptions, "recording"> = {}): Promise<void> {
  const { at, end } = traceProgress(WHAT);
  const refusal = await tryTrace(dir, { ...options, progress: at }).finally(end);
  if (refusal !== undefined) process.stderr.write(`${printable(refusal)}\n`);
}

/** The trace for a command that needs it. @throws JoulebenchError `sink` where it cannot be made */
export async function neededTrace(dir: string, options: Pick<TraceOptions, "recording">): Promise<Manifest> {
  const { at, end } = traceProgress(WHAT);
  return makeTrace(dir, { ...options, progress: at }).finally(end);
}

/** Makes the traces of an experiment's sessions, when all are measured: none of them had to wait for it. */
export async function keepTraces(experiment: string): Promise<void> {
  const cells = join(experiment, "cells");
  for (const name of existsSync(cells) ? readdirSync(cells).sort() : [])
    if (existsSync(join(cells, name, "results.json"))) await keepTrace(join(cells, name));
}
