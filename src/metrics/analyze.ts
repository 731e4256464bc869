import { power } from "../model/block.ts";
import { pieceAt } from "../model/clock.ts";
import type { Measurement, Window } from "../model/measurement.ts";
import type { Recording } from "../model/recording.ts";
import type { Results } from "../model/results.ts";
import { type Baseline, baselineInstants, baselineOf } from "./baseline.ts";
import { readCounter } from "./counter.ts";
import { type EnergyContext, measuredPower_w, timingOf, type WindowEnergy, windowEnergy } from "./energies.ts";
import { Instants } from "./instants.ts";
import { measurementsOf } from "./measurements.ts";
import { summarise } from "./summary.ts";
import { validate } from "./validity.ts";

/**
 * Final results of a recording: one sweep over its samples, whatever its length.
 *
 * @param session name of the session, kept in the results
 * @param windows cut from the recording's events by `windows/`
 */
export function analyze(session: string, recording: Recording, windows: readonly Window[]): Results {
  const { measurand, maps } = recording;
  const source = `${measurand.source}.${measurand.channel}`;
  const sampling = samplingOf(recording);
  const timing_s = timingFunction(recording);
  const latest = windows.reduce((u, each) => Math.max(u, timing_s(each.start_s)), 0);
  const reach_s = Math.max(2 * sampling.step_s, 2 * latest, LEAST_REACH_S);
  const instants = new Instants(windows, baselineInstants(recording.idle), reach_s);
  const readings = readCounter(recording.blocks(), { measurand, maps }, instants.at, instants.classes(windows));
  const baseline = baselineOf(recording.idle, instants, readings);
  const context: EnergyContext = {
    instants,
    readings,
    baseline,
    accuracy: measurand.accuracy,
    voltage_v: sampling.voltage_v,
    timing_s,
    integrating: sampling.integrating,
    reach_s,
  };
  const energies = energiesOf(windows, context);
  const rateUncertainty = rateUncertaintyOf(recording, readings.end_s - readings.start_s);
  const requests = [...new Set(windows.filter((each) => each.phase === "request").map((each) => each.request))];
  const valid = requests.filter((request) => isValid(request, energies));
  const counted = energies.filter(({ window, flags }) =>
    window.phase === "load" || window.phase === "unit" ? !flags.includes("INVALID") : valid.includes(window.request),
  );
  const summary = summarise(counted, rateUncertainty);
  const validUnits = counted.filter((each) => each.window.phase === "unit").length;
  const measurements = energies.flatMap((each) => measurementsOf(each, source, rateUncertainty));
  if (baseline) {
    measurements.push(idlePower(baseline, recording, source));
    summary.values.idle_power = {
      value: baseline.power_w,
      unit: "W",
      expanded_uncertainty: 2 * idleUncertainty(baseline, recording),
      k: 2,
      n: recording.idle.length,
    };
  }
  return {
    format: 1,
    session,
    measurand: source,
    baseline: { name: baseline?.name ?? "none", power_w: baseline?.power_w ?? null, uncertainty_w: baseline?.u_w ?? null },
    measurements,
    summary: summary.values,
    budget: summary.budget,
    references: recording.references,
    clocks: recording.clocks,
    throttling: { episodes: [] },
    faults: recording.faults,
    validity: validate({ recording, energies, baseline, valid, requests, validUnits }),
  };
}

/** The counter is read at least this far beside an edge: shorter than a token, longer than a wake-up. */
const LEAST_REACH_S = 1e-3;

/** Energies of all windows. A gap is filled by the same phase of the same request, else by that phase of the session. */
function energiesOf(windows: readonly Window[], context: EnergyContext): WindowEnergy[] {
  const totals = new Map<string, { energy_j: number; covered_s: number }>();
  const add = (key: string, part: { energy_j: number; covered_s: number }): void => {
    const total = totals.get(key) ?? { energy_j: 0, covered_s: 0 };
    totals.set(key, { energy_j: total.energy_j + part.energy_j, covered_s: total.covered_s + part.covered_s });
  };
  for (const window of windows) {
    if (window.phase === "token" || window.phase === "request") continue;
    const part = measuredPower_w(window, context);
    add(`${window.phase}/${window.request}`, part);
    add(window.phase, part);
  }
  const like = (phase: string, request: string): number => {
    const own = totals.get(`${phase}/${request}`);
    const total = own && own.covered_s > 0 ? own : totals.get(phase);
    return total && total.covered_s > 0 ? total.energy_j / total.covered_s : Number.NaN;
  };
  const parts = new Map<string, { missing_s: number; fill_j: number }>();
  return windows
    .toSorted((a, b) => Number(a.phase === "request") - Number(b.phase === "request"))
    .map((window) => {
      if (window.phase === "request") {
        const part = parts.get(window.request);
        return windowEnergy(window, part ? part.fill_j / part.missing_s : like("decode", window.request), context);
      }
      const phase = window.phase === "token" ? "decode" : window.phase;
      const fill_w = like(phase, window.request);
      const energy = windowEnergy(window, window.phase === "token" && energyIsMissing(window, context) ? Number.NaN : fill_w, context);
      const missing_s = (1 - energy.coverage) * (window.end_s - window.start_s);
      if ((phase === "prefill" || window.phase === "decode") && missing_s > 0) {
        const part = parts.get(window.request) ?? { missing_s: 0, fill_j: 0 };
        parts.set(window.request, { missing_s: part.missing_s + missing_s, fill_j: part.fill_j + missing_s * fill_w });
      }
      return energy;
    });
}

/** A token none of whose time was sampled has no energy of its own: null, not the mean of its neighbours. */
const energyIsMissing = (window: Window, context: EnergyContext): boolean => measuredPower_w(window, context).covered_s <= 0;

function isValid(request: string, energies: readonly WindowEnergy[]): boolean {
  const own = energies.filter(({ window }) => window.request === request && window.phase !== "token" && window.phase !== "tail");
  return (
    own.length > 0 &&
    own.every(({ energy_j, flags }) => energy_j !== null && !flags.some((flag) => EXCLUDING.has(flag))) &&
    own.some(({ window }) => window.phase === "decode" || window.phase === "prefill")
  );
}

/** Flags that take a request out of the summary. */
const EXCLUDING = new Set(["INVALID", "CONCURRENT", "EVENTS_OUT_OF_ORDER"]);

/** Distance of samples, mean voltage and kind of sampler, from the first blocks that have the channel. */
function samplingOf({ measurand, maps, blocks }: Recording): { step_s: number; voltage_v: number; integrating: boolean } {
  for (const block of blocks()) {
    if (block.source !== measurand.source || block.length < 2 || !power(block, measurand.channel)) continue;
    const map = maps.find((each) => each.source === block.source && each.epoch === block.epoch);
    if (!map) continue;
    const { ticks, length } = block;
    const step = ticks instanceof Float64Array ? (ticks[length - 1]! - ticks[0]!) / (length - 1) : ticks.step;
    const voltage_v = block.columns[`${measurand.channel}.voltage_v`];
    return {
      step_s: step / pieceAt(map, block.startTick).rate_hz,
      voltage_v: voltage_v ? voltage_v.reduce((sum, each) => sum + each, 0) / length : Number.NaN,
      integrating: block.sampler === "integrating",
    };
  }
  return { step_s: 0, voltage_v: Number.NaN, integrating: true };
}

function timingFunction({ measurand, maps, events }: Recording): (t: number) => number {
  const eventSources = new Set(events.map((each) => each.source));
  const power = maps.filter((each) => each.source === measurand.source);
  const event = maps.filter((each) => each.source !== measurand.source && eventSources.has(each.source));
  return (t) => Math.hypot(timingOf(power, t), timingOf(event, t));
}

/** Two independent ends of the session fix a clock's rate: its relative uncertainty is theirs over the time between. */
function rateUncertaintyOf({ maps, events }: Recording, duration_s: number): number {
  const sources = new Set(events.map((each) => each.source));
  const u_s = Math.max(0, ...maps.filter((each) => sources.has(each.source)).flatMap((each) => each.pieces.map((piece) => piece.u_s)));
  return duration_s > 0 ? (Math.SQRT2 * u_s) / duration_s : 0;
}

const idleUncertainty = (baseline: Baseline, { measurand }: Recording): number =>
  Math.hypot(baseline.u_w, baseline.power_w * measurand.accuracy.gain);

function idlePower(baseline: Baseline, recording: Recording, source: string): Measurement {
  const [start_s, end_s] = [recording.idle[0]![0], recording.idle.at(-1)![1]];
  const about = { coverage: 1, source, phase: "idle" as const, request: "", tokens: 0, start_s, end_s, flags: [] };
  return { name: "idle_power", value: baseline.power_w, unit: "W", uncertainty: idleUncertainty(baseline, recording), ...about };
}
