import { toSession } from "../model/clock.ts";
import { isSteady, STRAY, straysOf } from "./baseline.ts";
import { constantEffects, type WindowEnergy } from "./energies.ts";
import type { Evidence, TimeEvidence, Verdict } from "./evidence.ts";

/** Largest share of a power that one count may be. */
const LARGEST_COUNT = 0.02;
/** Idle power may change by this share of it from before the workload to after. */
const LARGEST_IDLE_CHANGE = 0.1;
/** A silicon die that warms by this much leaks about 1 % more. */
const LARGEST_DRIFT_DEGC = 2;
/** Largest bound of a device's clock: beyond it the clock says less than load pulses would. */
const LARGEST_BOUND_S = 1.5e-3;
/** No device's crystal is this far off. */
const LARGEST_RATE_PPM = 500;
/** Energies that must be equal may differ by rounding: in joules, and as a share of large ones. */
const ROUNDING = 1e-9;
/** Values made of the same sums on different ways. */
const SAME = 1e-6;

const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;
const watts = (power_w: number): string => `${power_w.toPrecision(4)} W`;

/** A gap at an edge leaves open how much belongs to which side. */
/** Requests a headline needs to say something about repeats (docs/architecture.md, rule 7). */
const LEAST_REQUESTS = 5;

/** All that were planned; where a failure is a result, all but those that failed. */
export function enoughRequests({ valid, requests, recording, validUnits }: TimeEvidence): Verdict {
  if (requests.length === 0 && validUnits > 0) return [true, `${validUnits} units measured, no requests`];
  const { planned, mayFail, outcomes = [] } = recording;
  const seen = `${valid.length} valid of ${requests.length} seen${planned === undefined ? "" : `, ${planned} planned`}`;
  if (!mayFail || planned === undefined) {
    const wanted = Math.max(LEAST_REQUESTS, planned ?? 0);
    return [valid.length >= wanted, `${seen}; a headline needs at least ${wanted}`];
  }
  const failed = new Set(outcomes.map(({ request }) => request)).size;
  const wanted = Math.max(1, planned - failed);
  return [valid.length >= wanted, `${seen}, of which ${failed} ended badly, which is a result; ${wanted} must be valid`];
}

export function edgesAreCovered({ energies }: Evidence): Verdict {
  const n = energies.filter(({ window, flags }) => window.phase !== "token" && flags.includes("EDGE_GAP")).length;
  return [n === 0, n === 0 ? "no edge of a phase lies in a gap" : `${n} phases begin or end in a gap`];
}

/** The hard bound that the pings give. */
export function boundIsNarrow({ recording }: TimeEvidence): Verdict {
  const bounds = recording.maps.flatMap(({ pieces }) => pieces.map((each) => each.bound_s)).filter(Number.isFinite);
  if (bounds.length === 0) return [true, "no clock with a bound to judge"];
  const worst_s = Math.max(...bounds);
  const sentence = `the device's clock is known within ±${(1e3 * worst_s).toFixed(3)} ms for certain`;
  return worst_s <= LARGEST_BOUND_S
    ? [true, sentence]
    : [false, `${sentence}, of ±${1e3 * LARGEST_BOUND_S} ms: the way to it is slow; a cable is faster than radio`];
}

export function ratesAreCredible({ recording }: TimeEvidence): Verdict {
  const rates = Object.entries(recording.clocks).flatMap(([clock, { rate_ppm, windows_beyond_limit, bound_s }]) =>
    typeof rate_ppm === "number"
      ? [
          {
            clock,
            rate_ppm,
            isBeyond: Number(windows_beyond_limit) > 0 || (bound_s !== undefined && Math.abs(rate_ppm) > LARGEST_RATE_PPM),
          },
        ]
      : [],
  );
  if (rates.length === 0) return [true, "no clock whose rate was measured"];
  const said = rates.map(({ clock, rate_ppm }) => `${clock} ${rate_ppm.toFixed(1)} ppm`).join(", ");
  const wrong = rates.filter((each) => each.isBeyond).map((each) => each.clock);
  if (wrong.length === 0) return [true, `rates of the clocks: ${said}`];
  return [false, `${wrong.join(", ")} cannot be that far off (${said}): name the right kind of clock in the rig`];
}

/** One count of the instrument against the powers it is asked to tell. */
export function countsAreFine({ context, baselines, summary }: Evidence): Verdict {
  const powers = {
    "idle power": baselines.used?.power_w,
    "decode power": summary.decode_mean_power?.value,
    "power of units": summary.unit_mean_power?.value,
  };
  const shares = Object.entries(powers).flatMap(([name, power_w]) => {
    if (power_w === undefined || power_w === 0) return [];
    const count_w = constantEffects(power_w, context).resolution_w * Math.sqrt(12);
    return [{ name, share: count_w / Math.abs(power_w) }];
  });
  const worst = shares.toSorted((a, b) => b.share - a.share)[0];
  if (!worst || worst.share === 0) return [true, "the instrument's count is not known to limit anything"];
  const sentence = `one count is ${percent(worst.share, 2)} of ${worst.name}`;
  return worst.share <= LARGEST_COUNT
    ? [true, sentence]
    : [false, `${sentence}, of ${percent(LARGEST_COUNT, 0)}: use a smaller range or a larger shunt`];
}

/** 1 s means of the idle time that net values refer to. */
export function idleIsSteady({ baselines: { used } }: Evidence): Verdict {
  if (!used) return [true, "no idle interval to judge"];
  const sentence = `${straysOf(used)} of ${used.means_w.length} means of 1 s stray more than ${percent(STRAY, 0)} from ${watts(used.power_w)}`;
  return isSteady(used) ? [true, sentence] : [false, `${sentence}: something ran while the device should have been idle`];
}

export function idleIsTheSame({ baselines: { cold, hot } }: Evidence): Verdict {
  if (!cold || !hot) return [true, "idle was measured on one side of the workload only"];
  const change_w = hot.power_w - cold.power_w;
  const sentence = `idle power ${watts(cold.power_w)} before and ${watts(hot.power_w)} after the workload`;
  if (Math.abs(change_w) <= LARGEST_IDLE_CHANGE * Math.abs(cold.power_w)) return [true, sentence];
  return [
    false,
    `${sentence}: ${change_w > 0 ? "the device is warm, or still busy; let it settle longer" : "something ran before it began"}`,
  ];
}

/** Largest change of any temperature, from the first third to the last third of the idle time net values refer to. */
export function temperatureIsSteady({ recording }: Evidence): Verdict {
  const first_s = recording.events.reduce(
    (first, event) => Math.min(first, timeOf(recording, event) ?? Number.POSITIVE_INFINITY),
    Number.POSITIVE_INFINITY,
  );
  const cold = recording.idle.filter(([, end_s]) => end_s <= first_s);
  const drifts = [...new Set(recording.readings.map((each) => each.channel))]
    .filter((channel) => channel.startsWith("temperature_degc"))
    .flatMap((channel) => (cold.length > 0 ? cold : recording.idle).flatMap((interval) => driftOf(recording, channel, interval)));
  const worst = drifts.toSorted((a, b) => Math.abs(b.drift_degc) - Math.abs(a.drift_degc))[0];
  if (!worst) return [true, "no temperature was read while idle"];
  const sentence = `${worst.channel} changed by ${worst.drift_degc.toFixed(1)} °C while idle power was measured`;
  return Math.abs(worst.drift_degc) <= LARGEST_DRIFT_DEGC
    ? [true, sentence]
    : [false, `${sentence}, of ${LARGEST_DRIFT_DEGC} °C: let the device come to rest first`];
}

function driftOf(
  recording: Evidence["recording"],
  channel: string,
  [start_s, end_s]: readonly [number, number],
): { channel: string; drift_degc: number }[] {
  const third_s = (end_s - start_s) / 3;
  const meanWithin = (from_s: number, to_s: number): number => {
    const values = recording.readings.flatMap((reading) => {
      const at_s = reading.channel === channel && typeof reading.value === "number" ? timeOf(recording, reading) : undefined;
      return at_s !== undefined && at_s >= from_s && at_s < to_s ? [Number(reading.value)] : [];
    });
    return values.reduce((sum, each) => sum + each, 0) / values.length;
  };
  const drift_degc = meanWithin(end_s - third_s, end_s) - meanWithin(start_s, start_s + third_s);
  return Number.isFinite(drift_degc) ? [{ channel, drift_degc }] : [];
}

/** J/token × token/s = W: what belongs together was summed over the same windows. */
export function valuesAgree({ summary }: Evidence): Verdict {
  const [energy, rate, power] = ["decode_energy_per_token", "decode_rate", "decode_mean_power"].map((name) => summary[name]?.value);
  if (energy === undefined || rate === undefined || power === undefined) return [true, "no decode to judge"];
  const sentence = `J/token × token/s is ${watts(energy * rate)}, mean power of decode ${watts(power)}`;
  return [Math.abs(energy * rate - power) <= SAME * Math.abs(power), sentence];
}

/** Prefill and decode make up the request, tokens the decode; J. */
export function partsAddUp({ energies }: Evidence): Verdict {
  const wholes = new Map<string, Map<string, WindowEnergy[]>>();
  for (const each of energies) {
    const phases = wholes.get(each.window.request) ?? new Map<string, WindowEnergy[]>();
    wholes.set(each.window.request, phases.set(each.window.phase, [...(phases.get(each.window.phase) ?? []), each]));
  }
  let [checked, off] = [0, 0];
  for (const phases of wholes.values()) {
    const of = (...names: readonly string[]): WindowEnergy[] => names.flatMap((name) => phases.get(name) ?? []);
    for (const [whole, parts] of [
      [of("request"), of("prefill", "decode")],
      [of("decode"), of("token")],
    ] as const) {
      if (whole.length !== 1 || parts.length === 0 || !covers(parts, whole[0]!)) continue;
      checked++;
      const [total_j, sum_j] = [whole[0]!.energy_j, parts.reduce((sum, each) => sum + (each.energy_j ?? Number.NaN), 0)];
      if (total_j !== null && Math.abs(sum_j - total_j) > ROUNDING * Math.max(1, Math.abs(total_j))) off++;
    }
  }
  return off === 0
    ? [true, `${checked} sums of phases and tokens are their wholes`]
    : [false, `${off} of ${checked} sums of phases or tokens are not their wholes`];
}

/** Whether parts lie in the whole without gap, as far as their lengths tell; a part that is null says nothing. */
function covers(parts: readonly WindowEnergy[], { window }: WindowEnergy): boolean {
  const length_s = parts.reduce((sum, each) => sum + each.window.end_s - each.window.start_s, 0);
  return parts.every((each) => each.energy_j !== null) && Math.abs(length_s - (window.end_s - window.start_s)) < ROUNDING;
}

/** A channel that shows nothing, or always the same, is not connected. */
export function signalLives({ context: { readings } }: Evidence): Verdict {
  const last = readings.instants.length - 1;
  const covered_s = last < 0 ? 0 : readings.covered_s[last]! - readings.covered_s[0]!;
  if (!(covered_s > 0)) return [true, "no sample to judge"];
  const mean_w = (readings.energy_j[last]! - readings.energy_j[0]!) / covered_s;
  const peak_w = readings.peak_w.subarray(0, last).reduce((peak, each) => Math.max(peak, each), Number.NEGATIVE_INFINITY);
  if (peak_w === 0 && mean_w === 0) return [false, "every sample is zero: nothing is connected, or the channel is the wrong one"];
  // Where no sample exceeds the mean, all of them are the same.
  if (peak_w - mean_w <= SAME * Math.abs(mean_w))
    return [false, `every sample is ${watts(mean_w)}: does the instrument measure at all?`, "WARN"];
  return [true, `power varies: ${watts(mean_w)} on average, ${watts(peak_w)} at most`];
}

/** Instants see no ripple: at the sampling rate or a multiple of it they take it for a slow swing, and nothing in them tells. */
export function nothingFolds({ context: { readings } }: Evidence): Verdict {
  return readings.isPointwise
    ? [false, "samples are instants: what happens between them is unseen, and ripple may have folded into the energy"]
    : [true, "samples are means over time, not instants"];
}

/** Age at the session, never at the analysis. */
export function calibrationIsYoung({ recording: { calibration, measurand } }: Evidence): Verdict {
  const { age_days, limit_days } = calibration ?? {};
  const word =
    measurand.accuracy.gain > 0 ? "the uncertainty of its gain is the rig's or the data sheet's word" : "its gain counts as exact";
  if (age_days === undefined)
    return limit_days === undefined
      ? [true, `not calibrated here: ${word}`]
      : [false, `never calibrated, though the rig wants it within ${limit_days} days; joulebench calibrate does it`];
  const sentence = `calibrated ${Math.abs(age_days).toFixed(1)} days ${age_days < 0 ? "after" : "before"} the session`;
  if (limit_days === undefined) return [true, sentence];
  return [Math.abs(age_days) <= limit_days, `${sentence}; the rig allows ${limit_days}`];
}

function timeOf(
  { maps }: Evidence["recording"],
  { source, epoch, tick }: { source: string; epoch: number; tick: number },
): number | undefined {
  const map = maps.find((each) => each.source === source && each.epoch === epoch);
  return map && toSession(map, tick);
}
