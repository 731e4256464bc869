import type { Alignment, PulseAlignment } from "../model/alignment.ts";

/** Largest credible offset of power against events, seconds: beyond it the clocks are not what they seem. */
const BOUND_S = 1.5e-3;

/** What the checks of power against events say together. */
export interface AlignmentVerdict {
  /** `unverified`: nothing was checked, so nothing is known. `suspect`: what was checked is wrong, or was not found again. */
  readonly state: "verified" | "unverified" | "suspect";
  readonly detail: string;
}

/**
 * Judges a session's checks: every one of them found, within the bound, and the trains as late after the workload as
 * before it.
 *
 * An offset of 0 is expected: the latencies of both ways are part of the clocks' maps.
 */
export function judgeAlignment(checks: readonly Alignment[]): AlignmentVerdict {
  if (checks.length === 0) return { state: "unverified", detail: "no load pulses and no trigger: power against events is not verified" };
  const faults = [...checks.flatMap(problem), ...drift(checks)];
  if (faults.length > 0) return { state: "suspect", detail: `SYNC_SUSPECT: ${faults.join("; ")}` };
  const said = checks.map((check) => `${nameOf(check)} ${milliseconds(check.offset_s!)} ± ${milliseconds(2 * check.u_s!)} late`);
  if (checks.length === 1 && checks[0]!.kind === "pulses")
    return { state: "unverified", detail: `${said[0]}, but no second train shows that it stayed so` };
  return { state: "verified", detail: said.join(", ") };
}

function problem(check: Alignment): string[] {
  if (!check.found) return [`${nameOf(check)} not found (${check.reason})`];
  if (Math.abs(check.offset_s!) < BOUND_S) return [];
  return [`${nameOf(check)} ${milliseconds(check.offset_s!)} late, of at most ${milliseconds(BOUND_S)}`];
}

/** The offset of a clock that runs wrong grows. */
function drift(checks: readonly Alignment[]): string[] {
  const trains = checks.filter((each): each is PulseAlignment => each.kind === "pulses" && each.found);
  const change_s = trains.length < 2 ? 0 : trains.at(-1)!.offset_s! - trains[0]!.offset_s!;
  return Math.abs(change_s) < BOUND_S ? [] : [`they drifted by ${milliseconds(change_s)}`];
}

const nameOf = ({ kind, at_s }: Alignment): string => (kind === "trigger" ? "trigger edges" : `pulses at ${at_s.toFixed(0)} s`);

const milliseconds = (seconds: number): string => `${(1e3 * seconds).toFixed(2)} ms`;

/** The same as facts for the report. */
export function alignmentFacts(checks: readonly Alignment[]): Record<string, number | string> {
  const facts: Record<string, number | string> = {};
  const trains = checks.filter((each) => each.kind === "pulses");
  for (const [k, check] of trains.entries()) Object.assign(facts, factsOf(check, `train_${k + 1}_`));
  for (const check of checks) if (check.kind === "trigger") Object.assign(facts, factsOf(check, "trigger_"));
  const [first, last] = [trains[0]?.offset_s, trains.at(-1)?.offset_s];
  if (trains.length > 1 && typeof first === "number" && typeof last === "number") facts.drift_s = last - first;
  return facts;
}

function factsOf(check: Alignment, prefix: string): Record<string, number | string> {
  const { kind: _kind, found, ...values } = check;
  const entries = Object.entries(values).filter((entry): entry is [string, number | string] => entry[1] !== null && entry[1] !== undefined);
  return Object.fromEntries([["found", found ? "yes" : "no"], ...entries].map(([key, value]) => [`${prefix}${key}`, value]));
}
