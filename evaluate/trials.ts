import { analyze } from "../src/metrics/analyze.ts";
import type { Results } from "../src/model/results.ts";
import { phonePlant } from "../src/simulate/phone.ts";
import { phases } from "../src/windows/phases.ts";
import { type Condition, drawOf } from "./conditions.ts";
import { type Claim, type Coverage, claimOf, coverageOf, without } from "./coverage.ts";
import { drawTrial, PROMPTS, type Trial } from "./register-bench.ts";

/** The quantities a user quotes. */
export const HEADLINES = [
  "load_energy",
  "prefill_energy",
  "prefill_energy_per_prompt_token",
  "decode_energy_per_token",
  "decode_energy_per_token_net",
  "request_energy",
  "request_energy_per_output_token",
  "request_energy_per_output_token_net",
  "idle_power",
  "ttft",
  "tpot",
  "decode_rate",
] as const;

/** Measured once in a session: there is no sample of them, whose truth could be another. */
const ONCE = new Set<string>(["load_energy", "idle_power"]);
/**
 * Without the repeats a duration is known to microseconds, by a bound on what may happen to the clock meanwhile: no
 * distribution, and nothing that a user could see.
 */
const TIMES = new Set<string>(["ttft", "tpot", "decode_rate"]);

/**
 * What an interval is about. `these`: the requests that were measured, so the budget without its repeats. `any`:
 * requests of this kind, of which those measured are a sample; the budget as stated.
 */
export type Measurand = "these" | "any";

export interface Row {
  readonly name: string;
  readonly measurand: Measurand;
  readonly coverage: Coverage;
}

/** Observed coverage as often as predicted, and how wide an interval may be against the errors. */
const TOLERANCE = 0.02;
export const WIDEST = 1.3;

export const isHeld = ({ coverage: { observed, predicted, width } }: Row): boolean =>
  Math.abs(observed - predicted) <= TOLERANCE && width <= WIDEST;

/** True values over the requests of many other phones. */
export function population(phones: number): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (let seed = 1; seed <= phones; seed++) {
    for (const [name, value] of Object.entries(phonePlant({ seed: FIRST_OTHER + seed, prompts: PROMPTS }).truth()))
      sums.set(name, (sums.get(name) ?? 0) + value / phones);
  }
  // Every phone answers as many tokens, so means of quotients are quotients of sums; a rate is the inverse of one.
  return { ...Object.fromEntries(sums), decode_rate: 1 / sums.get("tpot")! };
}

/** Seeds of phones that no trial measures. */
const FIRST_OTHER = 1_000_000;

/** Coverage of every headline over `count` trials. */
export function evaluateCondition(condition: Condition, count: number, any: Readonly<Record<string, number>>): Row[] {
  const claims = new Map<string, Claim[]>();
  const add = (measurand: Measurand, name: string, claim: Claim): void => {
    const key = `${measurand} ${name}`;
    const list = claims.get(key) ?? [];
    claims.set(key, list);
    list.push(claim);
  };
  for (let seed = 1; seed <= count; seed++) {
    const trial = drawTrial(condition, seed);
    const results = resultsOf(trial);
    const these = trial.truth(validOf(trial, results));
    for (const name of HEADLINES) {
      const value = results.summary[name];
      if (!value) continue;
      const claim = claimOf(value, results.budget[name] ?? [], these[name]!);
      if (ONCE.has(name)) add("these", name, claim);
      else {
        if (!TIMES.has(name)) add("these", name, without("repeats", claim));
        add("any", name, { ...claim, truth: any[name]! });
      }
    }
  }
  return [...claims].map(([key, list]): Row => {
    const [measurand, name] = key.split(" ") as [Measurand, string];
    return { name, measurand, coverage: coverageOf(list, drawOf(condition)) };
  });
}

export function resultsOf({ recording }: Trial): Results {
  const { windows } = phases(recording.events, recording.maps);
  return analyze("trial", recording, windows);
}

/** Requests with nothing worse than a filled gap, by their own flags. */
function validOf({ requests }: Trial, { measurements }: Results): string[] {
  const invalid = new Set(
    measurements
      .filter((each) => each.phase !== "token" && each.phase !== "tail" && each.flags.includes("INVALID"))
      .map((each) => each.request),
  );
  return requests.filter((each) => !invalid.has(each));
}
