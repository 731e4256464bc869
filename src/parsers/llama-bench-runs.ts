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

/** A test: its record, the marks of its runs, and when the record was heard of. */
export interface BenchTest {
  readonly record: BenchRecord;
  readonly marks: readonly Mark[];
  readonly heard_s: number;
}

/** What the driver stated of the benchmark, where one did. */
export interface Asked {
  /** Names it. */
  readonly name: string | undefined;
  /** Nothing of it happened before, seconds of the session. */
  readonly begun_s: number;
  /** Runs of each test. */
  readonly repetitions: number | undefined;
}

/** Part of a test that is placed: one run, or all of them together where only their mean is known. */
interface Span {
  readonly start_s: number;
  readonly duration_s: number;
  readonly runs: number;
}

/**
 * The unit windows of a benchmark: the runs of its tests, each as long as its sample says.
 *
 * A run begins before its progress line arrives, and ends before whatever comes next does; so the latest it can have begun
 * is found from behind: the record's arrival less the last sample, and so on to the first run of the first test. No two
 * overlap. With a mean instead of samples the runs of a test are one window of their whole duration; with rates alone one
 * from the first progress line to the record. A test is left out when its runs would begin before the benchmark did.
 */
export function unitsOf(tests: readonly BenchTest[], asked: Asked): readonly LoggedEvent[] {
  const units: (readonly LoggedEvent[])[] = [];
  let until_s = Number.POSITIVE_INFINITY;
  for (const test of tests.toReversed()) {
    const bounded = { ...test, heard_s: Math.min(test.heard_s, until_s) };
    const spans = test.record.samples_s ? runSpans(test.record.samples_s, bounded) : wholeSpan(bounded, asked.repetitions);
    until_s = Math.min(until_s, spans[0]?.start_s ?? until_s, ...test.marks.slice(0, 1).map(({ at_s }) => at_s));
    if (spans.every(({ start_s }) => start_s >= asked.begun_s)) units.unshift(eventsOf(test.record, spans, asked.name));
  }
  return units.flat();
}

function eventsOf(record: BenchRecord, spans: readonly Span[], name: string | undefined): readonly LoggedEvent[] {
  const tokens = record.promptTokens + record.outputTokens;
  const unit = record.outputTokens === 0 ? "prompt token" : record.promptTokens === 0 ? "output token" : "token";
  const shared = { request: [name, testName(record)].filter(Boolean).join(" "), unit, clock: "host" } as const;
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

function runSpans(samples_s: readonly number[], { marks, heard_s }: Pick<BenchTest, "marks" | "heard_s">): Span[] {
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

function wholeSpan({ record, marks, heard_s }: BenchTest, repetitions: number | undefined): Span[] {
  const first = marks.find(({ what }) => what !== "depth");
  const runs = first?.runs ?? repetitions;
  // Filling the context to its depth stands between the runs and is not in the mean: then they are not one stretch.
  if (runs === undefined || (record.depth > 0 && runs > 1)) return [];
  const first_s = first?.at_s ?? Number.POSITIVE_INFINITY;
  if (record.mean_s !== undefined) {
    const duration_s = runs * record.mean_s;
    return [{ start_s: Math.min(first_s, heard_s - duration_s), duration_s, runs }];
  }
  return first_s < heard_s ? [{ start_s: first_s, duration_s: heard_s - first_s, runs }] : [];
}
