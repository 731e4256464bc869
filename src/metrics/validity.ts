import type { Recording } from "../model/recording.ts";
import type { RuleResult } from "../model/results.ts";
import { judgeAlignment } from "./alignment.ts";
import type { Baseline } from "./baseline.ts";
import type { WindowEnergy } from "./energies.ts";

/** What the rules look at. */
export interface Evidence {
  readonly recording: Recording;
  readonly energies: readonly WindowEnergy[];
  readonly baseline: Baseline | undefined;
  /** Names of the requests that count, and of all that were seen. */
  readonly valid: readonly string[];
  readonly requests: readonly string[];
  /** Units (images, inferences) measured whole, for sessions without requests. */
  readonly validUnits: number;
}

interface Rule {
  readonly rule: string;
  readonly level: "WARN" | "FAIL";
  /** @returns whether it holds, and the sentence that says why; another level where not to hold has several meanings. */
  readonly check: (evidence: Evidence) => readonly [boolean, string, level?: "WARN" | "FAIL"];
}

/** Requests a headline needs to say something about repeats (docs/architecture.md, rule 7). */
const LEAST_REQUESTS = 5;
const SHORT_WINDOW_S = 1;
const SHORT_BASELINE_S = 60;

const countOf = ({ recording }: Evidence, code: string): number =>
  recording.faults.filter((fault) => fault.code === code).reduce((sum, fault) => sum + fault.count, 0);

/** Phases that carry one of these flags. */
const flagged = ({ energies }: Evidence, ...wanted: readonly string[]): number =>
  energies.filter(({ window, flags }) => window.phase !== "token" && wanted.some((flag) => flags.includes(flag))).length;

/** Every rule, in the order they are printed. */
const RULES: readonly Rule[] = [
  {
    rule: "measured",
    level: "FAIL",
    check: ({ energies }) => {
      const n = energies.filter((each) => each.energy_j !== null).length;
      return [n > 0, n > 0 ? `${n} windows hold samples` : "no window holds a sample: no events, no samples, or no common clock"];
    },
  },
  {
    rule: "requests",
    level: "FAIL",
    check: ({ valid, requests, recording, validUnits }) => {
      if (requests.length === 0 && validUnits > 0) return [true, `${validUnits} units measured, no requests`];
      const wanted = Math.max(LEAST_REQUESTS, recording.planned ?? 0);
      const plan = recording.planned === undefined ? "" : `, ${recording.planned} planned`;
      return [valid.length >= wanted, `${valid.length} valid of ${requests.length} seen${plan}; a headline needs at least ${wanted}`];
    },
  },
  {
    rule: "coverage",
    level: "WARN",
    check: (evidence) => {
      const n = flagged(evidence, "COVERAGE", "GAP_UNCERTAINTY", "EDGE_GAP");
      return [n === 0, n === 0 ? "no phase lost more than the rules allow" : `${n} phases are invalid for missing samples`];
    },
  },
  {
    rule: "gaps",
    level: "WARN",
    check: (evidence) => {
      const n = flagged(evidence, "GAP");
      return [n === 0, n === 0 ? "no phase has a gap" : `${n} phases have a gap, filled by the mean of their phase and flagged`];
    },
  },
  {
    rule: "samples",
    level: "WARN",
    check: (evidence) => {
      const lost = countOf(evidence, "lost_samples");
      return [lost === 0, lost === 0 ? "no sample was lost" : `${lost} samples were lost`];
    },
  },
  {
    rule: "range",
    level: "FAIL",
    check: (evidence) => {
      const n = countOf(evidence, "over_range") + countOf(evidence, "arithmetic_overflow");
      return [
        n === 0,
        n === 0 ? "no sample reached the end of the range" : `${n} samples reached the end of the range: choose a larger one`,
      ];
    },
  },
  {
    rule: "clocks",
    level: "FAIL",
    check: (evidence) => {
      const n = countOf(evidence, "clock_unmapped");
      return [n === 0, n === 0 ? "every clock was put on the session's" : `${n} clocks could not be put on the session's`];
    },
  },
  {
    rule: "alignment",
    level: "FAIL",
    check: ({ recording }) => {
      const { state, detail } = judgeAlignment(recording.alignment ?? []);
      return [state === "verified", detail, state === "unverified" ? "WARN" : "FAIL"];
    },
  },
  {
    rule: "clock_steps",
    level: "WARN",
    check: (evidence) => {
      const n = countOf(evidence, "clock_step") + countOf(evidence, "clock_restart");
      const lost = flagged(evidence, "CLOCK_STEP");
      return [
        n === 0,
        n === 0 ? "no clock jumped or began anew" : `clocks jumped or began anew ${n} times; ${lost} phases are invalid for it`,
      ];
    },
  },
  {
    // A warning: the disagreement is in every uncertainty already, and the bound of the line does not depend on it.
    rule: "clock_agreement",
    level: "WARN",
    check: ({ recording }) => {
      const all = Object.values(recording.clocks).flatMap(({ cross_check_s }) =>
        typeof cross_check_s === "number" ? [cross_check_s] : [],
      );
      const n = recording.faults.filter(({ code }) => code === "clock_disagreement").length;
      if (all.length === 0) return [true, "no clock that a second estimator could check"];
      return [n === 0, `two estimators of the device's clock agree to ${(Math.max(...all) * 1e3).toFixed(2)} ms; 0.50 ms are allowed`];
    },
  },
  {
    rule: "baseline",
    level: "WARN",
    check: ({ baseline }) => {
      const length = baseline ? `${baseline.duration_s.toFixed(1)} s of idle` : "no idle interval: net values are missing";
      return [(baseline?.duration_s ?? 0) >= SHORT_BASELINE_S, `${length}; ${SHORT_BASELINE_S} s are recommended`];
    },
  },
  {
    rule: "windows",
    level: "WARN",
    check: ({ energies }) => {
      const phases = energies.filter((each) => each.window.phase === "prefill" || each.window.phase === "decode");
      const short = phases.filter((each) => each.window.end_s - each.window.start_s < SHORT_WINDOW_S).length;
      return [
        short === 0,
        short === 0 ? `no phase is shorter than ${SHORT_WINDOW_S} s` : `${short} phases are shorter than ${SHORT_WINDOW_S} s`,
      ];
    },
  },
  {
    rule: "power",
    level: "WARN",
    check: ({ energies }) => {
      const n = energies.filter((each) => each.window.phase !== "token" && each.energy_j !== null && each.energy_j < 0).length;
      return [n === 0, n === 0 ? "no phase has negative energy" : `${n} phases have negative energy: are the meter's leads swapped?`];
    },
  },
  {
    rule: "events",
    level: "WARN",
    check: (evidence) => {
      const n = countOf(evidence, "unpaired_event") + countOf(evidence, "duplicate_event") + countOf(evidence, "late_event");
      return [n === 0, n === 0 ? "every event has its counterpart and its place" : `${n} events are unpaired, doubled or out of order`];
    },
  },
  {
    rule: "tape",
    level: "FAIL",
    check: (evidence) => {
      const n = countOf(evidence, "tape_truncated");
      return [n === 0, n === 0 ? "the recording is whole" : `${n} bytes at the end of the tape form no record: the recording was cut off`];
    },
  },
];

export const validate = (evidence: Evidence): RuleResult[] =>
  RULES.map(({ rule, level, check }) => {
    const [pass, detail, other = level] = check(evidence);
    return { rule, level: other, pass, detail };
  });
