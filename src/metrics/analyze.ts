import type { Window } from "../model/measurement.ts";
import { hasPower, type Recording } from "../model/recording.ts";
import type { Results } from "../model/results.ts";
import { baselineInstants, baselinesOf } from "./baseline.ts";
import { chargesOf } from "./charge.ts";
import { type CounterReadings, readCounter } from "./counter.ts";
import type { EnergyContext, WindowEnergy } from "./energies.ts";
import { energiesOf } from "./fill.ts";
import { Instants } from "./instants.ts";
import { measurementsOf } from "./measurements.ts";
import { rateUncertaintyOf, samplingOf, timingFunction } from "./sampling.ts";
import { addSessionValues, flagUnsteady, idleMeasurement } from "./session-values.ts";
import { splitAtPhaseEdges } from "./step-split.ts";
import { addAccuracy, summarise } from "./summary.ts";
import { analyzeTimes } from "./times.ts";
import { countedOf, requestsOf, validRequests } from "./valid-requests.ts";
import { validate } from "./validity.ts";

/**
 * Final results of a recording: one sweep over its samples, whatever its length.
 *
 * Of one without power there are the times alone.
 *
 * @param session name of the session, kept in the results
 * @param cut windows, as `windows/` cut them from the recording's events
 */
export function analyze(session: string, recording: Recording, cut: readonly Window[]): Results {
  if (!hasPower(recording)) return analyzeTimes(session, recording, cut);
  const { measurand, maps } = recording;
  const source = `${measurand.source}.${measurand.channel}`;
  const sampling = samplingOf(recording);
  const windows = cut.map((each) =>
    isUnresolved(each, sampling.step_s) ? { ...each, flags: [...each.flags, "TOKEN_RESOLUTION_INSUFFICIENT"] } : each,
  );
  const timing_s = timingFunction(recording);
  const latest = windows.reduce((u, each) => Math.max(u, timing_s(each.start_s)), 0);
  const reach_s = Math.max(2 * sampling.step_s, 2 * latest, LEAST_REACH_S);
  const instants = new Instants(windows, baselineInstants(recording.idle), reach_s);
  const readings = readCounter(() => recording.blocks(), { measurand, maps }, instants.at, instants.classes(windows));
  const split = (read: CounterReadings, at: readonly Window[], where: Instants): ((edge_s: number) => boolean) =>
    sampling.integrating ? splitAtPhaseEdges(read, at, { instants: where, timing_s }) : () => false;
  const isSplit = split(readings, windows, instants);
  const firstEvent_s = windows.reduce((first, each) => Math.min(first, each.start_s), Number.POSITIVE_INFINITY);
  const baselines = baselinesOf(recording.idle, firstEvent_s, { instants, readings });
  const baseline = baselines.used;
  const context: EnergyContext = {
    instants,
    readings,
    baseline,
    accuracy: measurand.accuracy,
    voltage_v: sampling.voltage_v,
    timing_s,
    integrating: sampling.integrating,
    reach_s,
    isSplit,
  };
  const charge_c = sampling.hasCurrent ? chargesOf(recording, windows, split) : () => undefined;
  const energies = energiesOf(windows, context).map((each) => withCharge(each, charge_c(each.window)));
  const rateUncertainty = rateUncertaintyOf(recording, readings.end_s - readings.start_s);
  const requests = requestsOf(windows);
  const valid = validRequests(energies, requests, true);
  const counted = countedOf(energies, new Set(valid));
  const summary = summarise(counted, rateUncertainty);
  addAccuracy(summary, energies);
  const validUnits = counted.filter((each) => each.window.phase === "unit" && each.window.stage === undefined).length;
  const measurements = energies.flatMap((each) => measurementsOf(each, source, rateUncertainty));
  addSessionValues(summary, baselines, { counted, context, recording });
  if (baseline) measurements.push(idleMeasurement(baseline, recording, context, source));
  return {
    format: 1,
    session,
    measurand: source,
    baseline: { name: baseline?.name ?? "none", power_w: baseline?.power_w ?? null, uncertainty_w: baseline?.u_w ?? null },
    measurements: flagUnsteady(measurements, baselines),
    summary: summary.values,
    budget: summary.budget,
    percentiles: summary.percentiles,
    references: recording.references,
    clocks: recording.clocks,
    outcomes: recording.outcomes ?? [],
    throttling: { episodes: [] },
    faults: recording.faults,
    validity: validate({ recording, energies, baselines, context, summary: summary.values, valid, requests, validUnits }),
  };
}

const withCharge = (energy: WindowEnergy, charge_c: number | undefined): WindowEnergy =>
  charge_c === undefined ? energy : { ...energy, charge_c };

/** The counter is read at least this far beside an edge: shorter than a token, longer than a wake-up. */
const LEAST_REACH_S = 1e-3;

/** Samples a token needs, lest its energy be mostly that of its neighbours (science: a token per 20 samples, 0.3 %). */
const LEAST_TOKEN_SAMPLES = 20;

const isUnresolved = ({ phase, start_s, end_s }: Window, step_s: number): boolean =>
  phase === "token" && (end_s - start_s) / step_s < LEAST_TOKEN_SAMPLES * (1 - 1e-9);
