import { EXCLUDING_FLAGS, type Measurement } from "../model/measurement.ts";
import type { Results, SummaryValue, ThrottlingEpisode } from "../model/results.ts";
import { channelOf, Lines, type Origin } from "./influx-lines.ts";
import { fieldOf } from "./influx-schema.ts";
import type { Fields } from "./line-protocol.ts";

/** The final results of a session as lines: windows, summary, validity, throttling, and what a chart shows of them. */
export function resultLines(results: Results, origin: Origin): (string | undefined)[] {
  const lines = new Lines(origin);
  const end_s = results.measurements.reduce((latest, { end_s }) => Math.max(latest, end_s), 0);
  return [
    ...windowLines(results, lines),
    ...summaryLines(results, end_s, lines),
    ...results.validity.map(({ rule, level, pass, detail }) => lines.line("validity", 0, { rule, level }, { pass, detail })),
    ...results.throttling.episodes.map((each) => throttlingLine(each, end_s, lines)),
    ...annotations(results, { end_s, wallStart_ns: origin.wallStart_ns }, lines),
  ];
}

/** One point per window: everything that was measured of it, side by side. */
function windowLines({ measurand, measurements }: Results, lines: Lines): (string | undefined)[] {
  const unfit = unfitRequests(measurements);
  const windows = new Map<string, Measurement[]>();
  for (const each of measurements) {
    const { phase, request, index, start_s, name } = each;
    const id = JSON.stringify([meterOf(each, measurand), phase, request, index, start_s, stageOf(name)]);
    const window = windows.get(id);
    if (window) window.push(each);
    else windows.set(id, [each]);
  }
  return [...windows.values()].map((window) => {
    const { phase, request, index, tokens, start_s, end_s, name } = window[0]!;
    const flags = new Set(window.flatMap((each) => each.flags));
    const fields: Record<string, Fields[string]> = {
      ...{ request, index, tokens, duration_s: end_s - start_s, flags: [...flags].join(",") },
      coverage: Math.min(...window.map((each) => each.coverage)),
      valid: !unfit.has(request) && !isUnfit(flags),
    };
    for (const each of window) {
      const field = fieldOf(each.name, each.unit, phase);
      fields[field] = each.value;
      fields[`u_${field}`] = each.uncertainty;
    }
    return lines.line("inference", start_s, { ...channelOf(meterOf(window[0]!, measurand)), phase, stage: stageOf(name) }, fields);
  });
}

/** Times are read on a clock, but stand beside the power of the same window. */
const meterOf = ({ source }: Measurement, measurand: string | null): string => (source.includes(".") ? source : (measurand ?? source));

const stageOf = (name: string): string => /:(.*)$/s.exec(name)?.[1] ?? "";

const isUnfit = (flags: Iterable<string>): boolean => [...flags].some((flag) => EXCLUDING_FLAGS.has(flag));

/** Requests that the summary leaves out; a tail or a token alone does not make one unfit. */
function unfitRequests(measurements: readonly Measurement[]): ReadonlySet<string> {
  const judged = measurements.filter(({ phase }) => phase === "prefill" || phase === "decode" || phase === "request");
  return new Set(judged.filter(({ value, flags }) => value === null || isUnfit(flags)).map(({ request }) => request));
}

/** One point per session, and one more for each stage of its units. */
function summaryLines(results: Results, duration_s: number, lines: Lines): (string | undefined)[] {
  const { measurand, summary, baseline, validity, faults } = results;
  const failed = validity.filter(({ level, pass }) => level === "FAIL" && !pass).map(({ rule }) => rule);
  const session: Fields = {
    ...{ valid: failed.length === 0, failed: failed.join(","), duration_s },
    requests: summary.e2e_latency?.n ?? 0,
    faults: faults.reduce((sum, { count }) => sum + count, 0),
    ...{ baseline_power_w: baseline.power_w, u_baseline_power_w: baseline.uncertainty_w },
  };
  const stages = new Map<string, Fields>([["", session]]);
  for (const [name, value] of Object.entries(summary))
    stages.set(stageOf(name), { ...stages.get(stageOf(name)), ...summaryFields(name, value) });
  return [...stages].map(([stage, fields]) => lines.line("summary", 0, { ...channelOf(measurand ?? ""), stage }, fields));
}

function summaryFields(name: string, { value, unit, expanded_uncertainty, k }: SummaryValue): Fields {
  const field = fieldOf(name, unit);
  return { [field]: value, [`u_${field}`]: expanded_uncertainty / k };
}

function throttlingLine(episode: ThrottlingEpisode, session_s: number, lines: Lines): string | undefined {
  const { onset_s, onset_performance_s, end_s, cause, class: kind, evidence, severity } = episode;
  const fields = { duration_s: (end_s ?? session_s) - onset_s, onset_performance_s, severity, evidence: evidence.join(",") };
  return lines.line("throttling", onset_s, { cause, class: kind }, fields);
}

/** The session, what of it is not valid, and its throttling. Faults were annotated as they happened. */
function annotations(
  { session, validity, throttling }: Results,
  { end_s, wallStart_ns }: { readonly end_s: number; readonly wallStart_ns: bigint },
  lines: Lines,
): (string | undefined)[] {
  const end_ms = (at_s: number): number => Number(wallStart_ns / 1_000_000n) + Math.round(at_s * 1000);
  const failed = validity.filter(({ level, pass }) => level === "FAIL" && !pass);
  const verdict = failed.length === 0 ? "valid" : `not valid: ${failed.map(({ rule }) => rule).join(", ")}`;
  return [
    lines.line("annotation", 0, { type: "session" }, { title: session, text: verdict, end_ms: end_ms(end_s) }),
    ...failed.map(({ rule, detail }) => lines.line("annotation", 0, { type: "validity" }, { title: rule, text: detail })),
    ...throttling.episodes.map((each) => {
      const title = `throttling: ${each.cause}`;
      const text = `${each.class}; ${each.evidence.join(", ")}`;
      return lines.line("annotation", each.onset_s, { type: "throttling" }, { title, text, end_ms: end_ms(each.end_s ?? end_s) });
    }),
  ];
}
