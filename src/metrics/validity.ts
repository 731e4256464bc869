import type { RuleResult } from "../model/results.ts";
import { judgeAlignment } from "./alignment.ts";
import {
  boundIsNarrow,
  calibrationIsYoung,
  countsAreFine,
  edgesAreCovered,
  enoughRequests,
  idleIsSteady,
  idleIsTheSame,
  nothingFolds,
  partsAddUp,
  ratesAreCredible,
  signalLives,
  temperatureIsSteady,
  valuesAgree,
} from "./checks.ts";
import type { Evidence, TimeEvidence, Verdict } from "./evidence.ts";

interface Named {
  readonly rule: string;
  readonly level: "WARN" | "FAIL";
}

/** A rule that holds or not of power, and of times measured without. */
interface TimeRule extends Named {
  readonly of: "times";
  readonly check: (evidence: TimeEvidence) => Verdict;
}

/** A rule that says nothing where no power was measured. */
interface PowerRule extends Named {
  readonly of: "power";
  readonly check: (evidence: Evidence) => Verdict;
}

const SHORT_WINDOW_S = 1;
const SHORT_BASELINE_S = 60;

const countOf = ({ recording }: TimeEvidence, code: string): number =>
  recording.faults.filter((fault) => fault.code === code).reduce((sum, fault) => sum + fault.count, 0);

/** Phases that carry one of these flags. */
const flagged = ({ energies }: TimeEvidence, ...wanted: readonly string[]): number =>
  energies.filter(({ window, flags }) => window.phase !== "token" && wanted.some((flag) => flags.includes(flag))).length;

/** Every rule, in the order they are printed. */
const RULES: readonly (TimeRule | PowerRule)[] = [
  {
    rule: "measured",
    of: "power",
    level: "FAIL",
    check: ({ energies }) => {
      const n = energies.filter((each) => each.energy_j !== null).length;
      return [n > 0, n > 0 ? `${n} windows hold samples` : "no window holds a sample: no events, no samples, or no common clock"];
    },
  },
  {
    rule: "requests",
    of: "times",
    level: "FAIL",
    check: enoughRequests,
  },
  {
    rule: "coverage",
    of: "power",
    level: "WARN",
    check: (evidence) => {
      const n = flagged(evidence, "COVERAGE", "GAP_UNCERTAINTY", "EDGE_GAP", "TOKEN_IN_GAP");
      return [n === 0, n === 0 ? "no phase lost more than the rules allow" : `${n} phases are invalid for missing samples`];
    },
  },
  {
    rule: "gaps",
    of: "power",
    level: "WARN",
    check: (evidence) => {
      const n = flagged(evidence, "GAP");
      return [n === 0, n === 0 ? "no phase has a gap" : `${n} phases have a gap, filled by the mean of their phase and flagged`];
    },
  },
  { rule: "edges", of: "power", level: "WARN", check: edgesAreCovered },
  {
    rule: "samples",
    of: "power",
    level: "WARN",
    check: (evidence) => {
      const lost = countOf(evidence, "lost_samples");
      return [lost === 0, lost === 0 ? "no sample was lost" : `${lost} samples were lost`];
    },
  },
  {
    rule: "range",
    of: "power",
    level: "FAIL",
    check: (evidence) => {
      const n = countOf(evidence, "over_range") + countOf(evidence, "arithmetic_overflow");
      return [
        n === 0,
        n === 0 ? "no sample reached the end of the range" : `${n} samples reached the end of the range: choose a larger one`,
      ];
    },
  },
  { rule: "signal", of: "power", level: "FAIL", check: signalLives },
  { rule: "resolution", of: "power", level: "WARN", check: countsAreFine },
  { rule: "sampler", of: "power", level: "WARN", check: nothingFolds },
  { rule: "calibration", of: "power", level: "FAIL", check: calibrationIsYoung },
  {
    rule: "clocks",
    of: "times",
    level: "FAIL",
    check: (evidence) => {
      const n = countOf(evidence, "clock_unmapped");
      return [n === 0, n === 0 ? "every clock was put on the session's" : `${n} clocks could not be put on the session's`];
    },
  },
  { rule: "clock_rates", of: "times", level: "FAIL", check: ratesAreCredible },
  { rule: "clock_bound", of: "times", level: "WARN", check: boundIsNarrow },
  {
    rule: "alignment",
    of: "power",
    level: "FAIL",
    check: ({ recording }) => {
      const { state, detail } = judgeAlignment(recording.alignment ?? []);
      return [state === "verified", detail, state === "unverified" ? "WARN" : "FAIL"];
    },
  },
  {
    rule: "clock_steps",
    of: "times",
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
    of: "times",
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
    of: "power",
    level: "WARN",
    check: ({ baselines: { used } }) => {
      const length = used ? `${used.duration_s.toFixed(1)} s of idle` : "no idle interval: net values are missing";
      return [(used?.duration_s ?? 0) >= SHORT_BASELINE_S, `${length}; ${SHORT_BASELINE_S} s are recommended`];
    },
  },
  { rule: "idle_steady", of: "power", level: "WARN", check: idleIsSteady },
  { rule: "idle_change", of: "power", level: "WARN", check: idleIsTheSame },
  { rule: "temperature", of: "power", level: "WARN", check: temperatureIsSteady },
  {
    rule: "windows",
    of: "power",
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
    of: "power",
    level: "WARN",
    check: ({ energies }) => {
      const n = energies.filter((each) => each.window.phase !== "token" && each.energy_j !== null && each.energy_j < 0).length;
      return [n === 0, n === 0 ? "no phase has negative energy" : `${n} phases have negative energy: are the meter's leads swapped?`];
    },
  },
  { rule: "sums", of: "power", level: "FAIL", check: partsAddUp },
  { rule: "agreement", of: "power", level: "FAIL", check: valuesAgree },
  {
    rule: "events",
    of: "times",
    level: "WARN",
    check: (evidence) => {
      const n = countOf(evidence, "unpaired_event") + countOf(evidence, "duplicate_event") + countOf(evidence, "late_event");
      return [n === 0, n === 0 ? "every event has its counterpart and its place" : `${n} events are unpaired, doubled or out of order`];
    },
  },
  {
    rule: "tape",
    of: "times",
    level: "FAIL",
    check: (evidence) => {
      const n = countOf(evidence, "tape_truncated");
      const missing = countOf(evidence, "tape_missing") + countOf(evidence, "tape_suspect");
      if (n === 0 && missing > 0) {
        const lost = flagged(evidence, "TAPE_LAPSE");
        return [false, `the disk did not keep ${missing} records for certain; ${lost} phases are invalid for it`, "WARN"];
      }
      return [n === 0, n === 0 ? "the recording is whole" : `${n} bytes at the end of the tape form no record: the recording was cut off`];
    },
  },
];

export const validate = (evidence: Evidence): RuleResult[] => RULES.map((each) => judged(each, each.check(evidence)));

/** The rules that apply where no power was measured. */
export const validateTimes = (evidence: TimeEvidence): RuleResult[] =>
  RULES.flatMap((each) => (each.of === "times" ? [judged(each, each.check(evidence))] : []));

const judged = ({ rule, level }: Named, [pass, detail, other = level]: Verdict): RuleResult => ({ rule, level: other, pass, detail });
