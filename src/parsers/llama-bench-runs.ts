import type { LoggedEvent } from "../model/parser.ts";
import type { BenchRecord } from "./llama-bench-records.ts";
import { given } from "./request-record.ts";

/** A line of `--progress`: something begins, and when that was heard. */
export interface Mark {
  readonly what: "prompt" | "generation" | "depth";
  /** Which run of its test, from 0. */
  readonly run: number;
  readonly runs: number;
  readonly at_s: number;
}

/** What is known of the test under way. */
export interface BenchTest {
  /** Stated by the driver: nothing of the benchmark happened before, and the repetitions asked for. */
  readonly begun_s: number | undefined;
  readonly repetitions: number | undefined;
  readonly name: string | undefined;
  readonly marks: readonly Mark[];
  readonly heard_s: number;
}

/** Part of a test that is placed: one run, or all of them together where only their mean is known. */
interface Span {
  readonly start_s: number;
  readonly duration_s: number;
  readonly runs: number;
}

/**
 * The unit windows of a test: its runs, each as long as its sample says.
 *
 * A run begins before its progress line arrives, and ends before whatever comes next does; so the latest it can have begun
 * is found from behind: the record's arrival less the last sample, and so on. No two overlap. With a mean instead of
 * samples the runs are one window of their whole duration, with rates alone one from the first progress line to the record.
 *
 * @returns undefined when the durations do not fit after the benchmark's begin
 */
export function unitsOf(record: BenchRecord, test: BenchTest): readonly LoggedEvent[] | undefined {
  const spans = record.samples_s ? runSpans(record.samples_s, test) : wholeSpan(record, test);
  const { begun_s = Number.NEGATIVE_INFINITY } = test;
  // The progress line may arrive in the very instant the driver's statement was stamped; a clock error this is not.
  if (spans.some(({ start_s }) => start_s < begun_s)) return undefined;
  const tokens = record.promptTokens + record.outputTokens;
  const unit = record.outputTokens === 0 ? "prompt token" : record.promptTokens === 0 ? "output token" : "token";
  const request = [test.name, testName(record)].filter(Boolean).join(" ");
  const shared = { request, unit, clock: "host" } as const;
  return spans.flatMap(({ start_s, duration_s, runs }): LoggedEvent[] => [
    { ...shared, type: "unit_start", tick: start_s, ...given({ model: record.model }) },
    { ...shared, type: "unit_end", tick: start_s + duration_s, count: runs * tokens },
  ]);
}

/** As llama-bench names it: `pp64`, `tg32`, `pp512+tg128 @ d1024`. */
function testName({ promptTokens, outputTokens, depth }: BenchRecord): string {
  const parts = [promptTokens > 0 ? `pp${promptTokens}` : "", outputTokens > 0 ? `tg${outputTokens}` : ""];
  return parts.filter(Boolean).join("+") + (depth > 0 ? ` @ d${depth}` : "");
}

function runSpans(samples_s: readonly number[], { marks, heard_s }: BenchTest): Span[] {
  const spans: Span[] = [];
  let until_s = heard_s;
  for (let run = samples_s.length - 1; run >= 0; run--) {
    const duration_s = samples_s[run]!;
    for (const mark of marks) if (mark.run > run) until_s = Math.min(until_s, mark.at_s);
    const own_s = marks.find((mark) => mark.run === run && mark.what !== "depth")?.at_s ?? Number.POSITIVE_INFINITY;
    const start_s = Math.min(until_s - duration_s, own_s);
    spans.unshift({ start_s, duration_s, runs: 1 });
    until_s = start_s;
  }
  return spans;
}

function wholeSpan({ mean_s, depth }: BenchRecord, { marks, heard_s, repetitions }: BenchTest): Span[] {
  const first_s = marks.find(({ what }) => what !== "depth")?.at_s;
  const runs = marks.find(({ what }) => what !== "depth")?.runs ?? repetitions;
  if (runs === undefined) return [];
  if (mean_s === undefined) return first_s === undefined ? [] : [{ start_s: first_s, duration_s: heard_s - first_s, runs }];
  const duration_s = runs * mean_s;
  // Filling the context to its depth stands between the runs and is not in the mean: then they are not one stretch.
  if (depth > 0 && runs > 1) return [];
  return [{ start_s: Math.min(first_s ?? Number.POSITIVE_INFINITY, heard_s - duration_s), duration_s, runs }];
}
