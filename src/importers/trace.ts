import type { Block, ColumnKey, Sampler } from "../model/block.ts";
import type { Fault } from "../model/errors.ts";

/** Samples per block: small beside a file, large beside the cost of a block. */
const BLOCK_SAMPLES = 4096;
/** After a longer step than this many nominal ones, something is missing. */
const CONTIGUOUS_STEPS = 1.5;
/** A longer step than this is flagged as a gap of the recording, not as samples that went missing one by one. */
const GAP_STEPS = 5;
/** Smallest part of a nominal step that counts as missing: decimal times differ from their grid by rounding only. */
const ROUNDING = 1e-6;

/** Samples with a time each, as a file of a recorded trace gives them. */
export interface Trace {
  readonly source: string;
  readonly sampler: Sampler;
  /** Strictly rising; for integrating and averaged samplers the end of the interval a sample stands for. */
  readonly times_s: Float64Array;
  readonly columns: Readonly<Record<ColumnKey, Float64Array>>;
  /** Length of the interval one sample stands for, or the step between two instants. */
  readonly nominal_s: number;
  /** Samples the recording itself says are not contiguous with the one before. */
  readonly breaks: readonly number[];
  /** After a longer step than this many nominal ones something is missing; 1.5 unless the recording is known to stagger. */
  readonly contiguousSteps?: number;
}

/** Longest distance of two instants that is still no gap. */
export const longestStep = (nominal_s: number, steps = CONTIGUOUS_STEPS): number => steps * nominal_s;

/** A run of contiguous samples: from `first` up to, not including, `end`. */
interface Run {
  readonly first: number;
  readonly end: number;
  readonly start_s: number;
  readonly lostBefore: number;
}

/** Blocks of a trace, of the slices of its own columns: nothing is copied; and the faults its gaps are. */
export function traceBlocks(trace: Trace): { readonly blocks: () => Iterable<Block>; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const runs = findRuns(trace, faults);
  return { blocks: () => cut(trace, runs), faults };
}

function findRuns(trace: Trace, faults: Fault[]): readonly Run[] {
  const { times_s, nominal_s, source, contiguousSteps } = trace;
  const breaks = new Set(trace.breaks);
  const runs: Run[] = [];
  let lost = 0;
  let lostAt_s = 0;
  let run = { first: 0, start_s: firstStart(trace), lostBefore: 0 };
  for (let k = 1; k < times_s.length; k++) {
    const before_s = times_s[k - 1]!;
    const step_s = times_s[k]! - before_s;
    const broken = breaks.has(k);
    if (!broken && step_s <= longestStep(nominal_s, contiguousSteps)) continue;
    runs.push({ ...run, end: k });
    const lostBefore = Math.max(Math.round(step_s / nominal_s - 1), broken ? 1 : 0);
    run = { first: k, start_s: startAfter(trace, k), lostBefore };
    if (broken || step_s > GAP_STEPS * nominal_s) {
      faults.push({ source, code: "gap", count: 1, at_s: before_s, detail: `${lostBefore} samples missing before ${times_s[k]} s` });
    } else {
      if (lost === 0) lostAt_s = before_s;
      lost += lostBefore;
    }
  }
  if (times_s.length > 0) runs.push({ ...run, end: times_s.length });
  if (lost > 0) faults.push({ source, code: "lost_samples", count: lost, at_s: lostAt_s });
  return runs;
}

/** Of the first sample the trace tells only the end; rounded to the nanosecond, so that 0.1 - 0.1 decimal steps start at 0. */
function firstStart(trace: Trace): number {
  const first_s = trace.times_s[0] ?? 0;
  return trace.sampler === "point" ? first_s : Math.round((first_s - trace.nominal_s) * 1e9) / 1e9;
}

/** Where the sample after a break starts: one nominal length before its end, or at the sample before when that is what it means. */
function startAfter({ sampler, times_s, nominal_s }: Trace, k: number): number {
  if (sampler === "point") return times_s[k]!;
  const before_s = times_s[k - 1]!;
  const start_s = times_s[k]! - nominal_s;
  return start_s - before_s < ROUNDING * nominal_s ? before_s : start_s;
}

function* cut(trace: Trace, runs: readonly Run[]): Generator<Block> {
  const { source, sampler, times_s } = trace;
  for (const run of runs) {
    for (let from = run.first; from < run.end; from += BLOCK_SAMPLES) {
      const to = Math.min(from + BLOCK_SAMPLES, run.end);
      const first = from === run.first;
      yield {
        source,
        epoch: 0,
        sampler,
        startTick: first ? run.start_s : times_s[sampler === "point" ? from : from - 1]!,
        ticks: times_s.subarray(from, to),
        length: to - from,
        lostBefore: first ? run.lostBefore : 0,
        columns: slice(trace.columns, from, to),
      };
    }
  }
}

function slice(columns: Trace["columns"], from: number, to: number): Block["columns"] {
  const part: Record<ColumnKey, Float64Array> = {};
  for (const key of Object.keys(columns) as ColumnKey[]) part[key] = columns[key]!.subarray(from, to);
  return part;
}
