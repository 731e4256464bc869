import type { Measurement, Window } from "../model/measurement.ts";
import type { Recording } from "../model/recording.ts";
import type { Results } from "../model/results.ts";
import type { WindowEnergy } from "./energies.ts";
import { durationMeasurements } from "./measurements.ts";
import { rateUncertaintyOf } from "./sampling.ts";
import { addAccuracy, summarise } from "./summary.ts";
import { countedOf, requestsOf, validRequests } from "./valid-requests.ts";
import { validateTimes } from "./validity.ts";
import { isReason } from "./window-flags.ts";

/**
 * Final results of a recording without power: times and rates with their uncertainties. There are no energies, not
 * even empty ones, and the rules about power do not apply.
 */
export function analyzeTimes(session: string, recording: Recording, windows: readonly Window[]): Results {
  const timed = windows.map(withoutPower);
  const rateUncertainty = rateUncertaintyOf(recording, spanOf(recording, windows));
  const requests = requestsOf(windows);
  const valid = validRequests(timed, requests, false);
  const counted = countedOf(timed, new Set(valid));
  const { values, budget, percentiles } = summarise(counted, rateUncertainty);
  addAccuracy({ values, budget }, timed);
  const source = recording.events[0]?.source ?? "";
  const measurements = timed.flatMap((each): Measurement[] => durationMeasurements(each, source, rateUncertainty));
  const validUnits = counted.filter(({ window }) => window.phase === "unit" && window.stage === undefined).length;
  return {
    format: 1,
    session,
    measurand: null,
    baseline: { name: "none", power_w: null, uncertainty_w: null },
    measurements,
    summary: values,
    budget,
    percentiles,
    references: recording.references,
    clocks: recording.clocks,
    outcomes: recording.outcomes ?? [],
    throttling: { episodes: [] },
    faults: recording.faults,
    validity: validateTimes({ recording, energies: timed, summary: values, valid, requests, validUnits }),
  };
}

/** What makes an energy invalid before anything was measured makes a time invalid, too. */
function withoutPower(window: Window): WindowEnergy {
  const flags = window.flags.some(isReason) ? [...window.flags, "INVALID"] : window.flags;
  return {
    window,
    energy_j: null,
    net_j: null,
    components: [],
    netComponents: [],
    coverage: 1,
    peak_w: Number.NaN,
    flags,
  };
}

/** From the first thing known to the last, seconds. */
function spanOf({ idle }: Recording, windows: readonly Window[]): number {
  // A long session has more windows than a call may have arguments.
  let [first_s, last_s] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const [start_s, end_s] of [...idle, ...windows.map((each) => [each.start_s, each.end_s] as const)]) {
    first_s = Math.min(first_s, start_s);
    last_s = Math.max(last_s, end_s);
  }
  return last_s - first_s;
}
