import type { ColumnKey } from "../model/block.ts";
import type { Accuracy } from "../model/instrument.ts";
import type { ImportedFile } from "../model/recording.ts";
import type { MeltRig } from "./melt-files.ts";
import type { MeltMeter } from "./melt-meter.ts";
import { meltRailValues } from "./melt-rail-values.ts";
import { type MonitorLog, nearest, type Rail, readMonitorLogs, type Series } from "./melt-rails.ts";
import type { MeltRun } from "./melt-run.ts";
import { type MeterTrace, medianStep } from "./meter-recording.ts";
import { RIG } from "./meter-rig.ts";
import type { Problems } from "./problems.ts";
import { longestStep } from "./trace.ts";

/** What the module takes in; its other rails are parts of it. */
const MODULE_INPUT = "VDD_IN";
/** The log's scheduler is late now and then and catches up: so many steps still belong together. */
const CONTIGUOUS_STEPS = 5;
const LOG = "energy_iter0.log";

/**
 * Limits of an INA3221 (Texas Instruments SBOS576, "Electrical Characteristics"): gain of shunt and bus 0.25 % each, offset
 * of the shunt 80 µV, which are two counts, of the bus 16 mV. How well the module's shunts are known nobody states.
 */
const GAIN_LIMIT = 0.0025;
const OFFSET_COUNTS = 2;
const BUS_OFFSET_V = 0.016;
const BUS_COUNT_V = 0.008;
/** A count of the shunt, 40 µV, on the smallest shunt a board has: a current that hardly varied shows larger ones. */
const LARGEST_COUNT_A = 0.04;
const UNSTATED_SHUNTS = "gain by the INA3221's data sheet; how well the module's shunts are known is not in it";
const rectangular = (limit: number): number => limit / Math.sqrt(3);

/** The rails of a Jetson as jetson-monitor logged them: the module's input, or those rails whose sum `rig.json` states. */
export function jetsonMeter(files: readonly ImportedFile[], rig: MeltRig, problems: Problems): MeltMeter | undefined {
  const log = readMonitorLogs(files);
  const names = rig.rails ?? [MODULE_INPUT];
  const rails = names.flatMap((name) => railNamed(name, log, problems));
  if (names.length > 1 && names.includes(MODULE_INPUT))
    problems.add(RIG, `rails: ${MODULE_INPUT} is the whole module's input and contains the others; name it alone`);
  if (problems.count > 0) return undefined;
  const [[, first]] = rails as [readonly [string, Rail]];
  const isPaired = rails.length === 1 && first.voltage.times_s.length > 0 && first.current.times_s.length > 0;
  const clock = isPaired ? first.current : powerOf(first);
  const nominal_s = medianStep(Float64Array.from(clock.times_s));
  const channel = names.join("+").toLowerCase();
  const sampled = isPaired ? paired(first, channel, nominal_s) : summed(rails, channel, clock);
  const { times_s } = sampled;
  if (times_s.length < 2) {
    problems.add(LOG, `has ${times_s.length} samples of ${names.join(", ")}; at least two are needed`);
    return undefined;
  }
  return {
    trace: traceOf(log, sampled, { rig, nominal_s }),
    channel,
    accuracy: accuracyOf(rig, sampled.columns, { channel, nominal_s }),
    longest_s: longestStep(nominal_s, CONTIGUOUS_STEPS),
    zero: { shift_s: log.origin_s, u_s: 0, facts: { zero: "the Jetson's own clock, which stamped everything", zero_s: log.origin_s } },
    span_s: [log.origin_s + times_s[0]!, log.origin_s + times_s.at(-1)!],
    origin_s: log.origin_s,
    temperatures: log.temperatures.map((each) => ({ ...each, at_s: each.at_s + log.origin_s })),
    references: (run) => meltRailValues({ rails: [...log.rails], origin_s: log.origin_s }, run),
    defects: (run) => defects(run, log),
  };
}

function railNamed(name: string, { rails }: MonitorLog, problems: Problems): readonly (readonly [string, Rail])[] {
  const rail = rails.get(name);
  if (rail) return [[name, rail]];
  const has = rails.size > 0 ? `has ${[...rails.keys()].sort().join(", ")}` : "has no line of a rail";
  problems.add(LOG, `${has}, not ${name}; name in ${RIG}, as rails, those that together make up what the module takes in`);
  return [];
}

interface Sampled {
  readonly times_s: Float64Array;
  readonly columns: MeterTrace["columns"];
}

/** Each current with the voltage read nearest to it: of the same sweep, though not at the same instant. */
function paired({ current, voltage }: Rail, channel: string, nominal_s: number): Sampled {
  const volts = nearest(voltage, current.times_s, nominal_s);
  return whole(current.times_s, { [`${channel}.current_a`]: Float64Array.from(current.values), [`${channel}.voltage_v`]: volts });
}

/** The power of all rails at the times of the first. */
function summed(rails: readonly (readonly [string, Rail])[], channel: string, { times_s }: Series): Sampled {
  const reach_s = medianStep(Float64Array.from(times_s));
  const total_w = new Float64Array(times_s.length);
  for (const [, rail] of rails) for (const [k, power_w] of nearest(powerOf(rail), times_s, reach_s).entries()) total_w[k]! += power_w;
  return whole(times_s, { [`${channel}.power_w`]: total_w });
}

/** Its power as it was logged, else by its current and voltage. */
function powerOf({ current, voltage, power }: Rail): Series {
  if (power.times_s.length > 0) return power;
  const volts = nearest(voltage, current.times_s, Number.POSITIVE_INFINITY);
  return { times_s: current.times_s, values: current.values.map((current_a, k) => current_a * volts[k]!) };
}

/** Without the samples that lack a part. */
function whole(times_s: readonly number[], columns: MeterTrace["columns"]): Sampled {
  const all = Object.entries(columns) as [ColumnKey, Float64Array][];
  const kept = (_: unknown, k: number): boolean => all.every(([, values]) => !Number.isNaN(values[k]!));
  return {
    times_s: Float64Array.from(times_s.filter(kept)),
    columns: Object.fromEntries(all.map(([key, values]) => [key, values.filter(kept)])),
  };
}

function traceOf(log: MonitorLog, { times_s, columns }: Sampled, { rig, nominal_s }: { rig: MeltRig; nominal_s: number }): MeterTrace {
  return {
    times_s,
    columns,
    sampler: "point",
    nominal_s,
    u_s: 0,
    sampling_s: 0,
    facts: {
      map: "each line stamped by the Jetson when it was logged, after the whole sweep was read",
      rate_hz: 1 / nominal_s,
      ...(rig.gain_uncertainty === undefined ? { accuracy: UNSTATED_SHUNTS } : {}),
      rails: [...log.rails.keys()].sort().join(", "),
    },
    faults: log.faults,
  };
}

/** By the data sheet's limits, with the count that the currents show; a sum states no current, and of it only the gain is known. */
function accuracyOf(
  rig: MeltRig,
  columns: MeterTrace["columns"],
  { channel, nominal_s }: { channel: string; nominal_s: number },
): Accuracy {
  const current_a = countOf(columns[`${channel}.current_a`]);
  const hasVoltage = `${channel}.voltage_v` in columns;
  return {
    gain: rig.gain_uncertainty ?? Math.SQRT2 * rectangular(GAIN_LIMIT),
    currentOffset_a: rectangular(OFFSET_COUNTS * current_a),
    voltageOffset_v: hasVoltage ? rectangular(BUS_OFFSET_V) : 0,
    currentResolution_a: current_a,
    voltageResolution_v: hasVoltage ? BUS_COUNT_V : 0,
    // The value is older than its stamp by up to the sweep that read it, which fills no more than a step.
    sampling_s: nominal_s / Math.sqrt(12),
  };
}

/** Largest number of milliamperes of which all values are multiples, A. */
function countOf(values: Float64Array | undefined): number {
  let count = 0;
  for (const value of values ?? []) for (let rest = Math.abs(Math.round(value * 1e3)); rest > 0; ) [count, rest] = [rest, count % rest];
  return Math.min(count / 1e3, LARGEST_COUNT_A);
}

function defects({ engine }: MeltRun, { rails }: MonitorLog): readonly string[] {
  const found = ["unpaired: current and voltage are read one after the other; MELT multiplies each current by the next voltage"];
  found.push("point sampler: the log has instants, 100 a second at best; what happens between them is in nobody's sum");
  if (rails.has(MODULE_INPUT))
    found.push(`sum of rails: MELT's notebook adds rails and leaves ${MODULE_INPUT} out, which is what the module takes in`);
  if (engine === "mlc-cli") found.push("no voltage: MELT's script loses it for the prompts of MLC, and its energies are exactly 0");
  return found;
}
