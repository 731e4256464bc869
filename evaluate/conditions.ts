import { bridgeIna219 } from "../src/instruments/bridge-ina219.ts";
import type { Options } from "../src/instruments/bridge-ina219-options.ts";
import { between, normal, type Random } from "../src/simulate/random.ts";

/** A rig whose budget is tested, and what is wrong with its links. */
export interface Condition {
  readonly name: string;
  readonly about: string;
  /** Options of the instrument as a rig states them; what is not stated comes from datasheet limits. */
  readonly rig: Readonly<Record<string, unknown>>;
  /** Share of the sample frames that never arrive. */
  readonly frames_lost: number;
  /** Shortest way of a ping to the device and back, seconds; how it divides is drawn anew for each trial. */
  readonly round_trip_s: number;
}

const RIG = { shunt_ohm: 0.1, clock: "resonator", usb_latency_s: 0.001 } as const;

const PRECISE = { ...RIG, gain_uncertainty: 2e-4, current_offset_uncertainty_a: 20e-6, voltage_offset_uncertainty_v: 0.2e-3 } as const;

export const CONDITIONS: readonly Condition[] = [
  {
    name: "datasheet",
    about: "nothing calibrated: every limit of the INA219A and of a 1 % shunt",
    rig: RIG,
    frames_lost: 0,
    round_trip_s: 0.6e-3,
  },
  {
    name: "calibrated",
    about: "gain calibrated to 0.2 %, offsets from the datasheet, as in rigs/virtual.yaml",
    rig: { ...RIG, gain_uncertainty: 0.002 },
    frames_lost: 0,
    round_trip_s: 0.6e-3,
  },
  {
    name: "precise",
    about: "gain to 0.02 % and offsets calibrated, so that clocks, edges and sampling show",
    rig: PRECISE,
    frames_lost: 0,
    round_trip_s: 0.6e-3,
  },
  {
    name: "lossy",
    about: "the same over a cable that loses 0.2 % of the frames: more, and few requests are left that count",
    rig: PRECISE,
    frames_lost: 0.002,
    round_trip_s: 0.6e-3,
  },
];

/** What one specimen of the sensor deviates by; relative, volts at the shunt, volts at the bus, relative. */
export interface Specimen {
  readonly gain: number;
  readonly shuntOffset_v: number;
  readonly busOffset_v: number;
  readonly conversionTime: number;
}

/** Limits behind the default of `gain_uncertainty`: current gain, bus gain, shunt resistor. */
const GAIN_LIMITS = [0.005, 0.005, 0.01] as const;
const CONVERSION_LIMIT = 0.1;

const limit = (random: Random, half: number): number => between(random, -half, half);

/** Draws an effect of a component in units of its standard uncertainty, as the rig's statements about it say. */
export type Draw = (component: string, random: Random) => number;

/**
 * The distributions that a budget declares: a calibrated effect is normal with the rig's standard uncertainty, an
 * effect known by limits alone is rectangular within them (GUM 4.3.7), and so is a gap, in which power was no larger and
 * no smaller than elsewhere in its phase; what many small errors make is normal.
 */
export function drawOf({ rig }: Condition): Draw {
  const rectangular = new Set(["resolution", "gap"]);
  if (!("current_offset_uncertainty_a" in rig)) rectangular.add("current offset");
  if (!("voltage_offset_uncertainty_v" in rig)) rectangular.add("voltage offset");
  return (component, random) => {
    if (rectangular.has(component)) return limit(random, Math.sqrt(3));
    return component === "gain" && !("gain_uncertainty" in rig) ? gainFromLimits(random) / GAIN_U : normal(random);
  };
}

const gainFromLimits = (random: Random): number => GAIN_LIMITS.reduce((sum, half) => sum + limit(random, half), 0);
const GAIN_U = Math.hypot(...GAIN_LIMITS) / Math.sqrt(3);

/** Draws a specimen from the distributions that the budget declares. */
export function drawSpecimen(condition: Condition, options: Options, random: Random): Specimen {
  const { gain, currentOffset_a, voltageOffset_v } = bridgeIna219.accuracy(options, "main");
  const draw = drawOf(condition);
  return {
    gain: gain * draw("gain", random),
    shuntOffset_v: currentOffset_a * draw("current offset", random) * options.shunt_ohm,
    busOffset_v: voltageOffset_v * draw("voltage offset", random),
    conversionTime: limit(random, CONVERSION_LIMIT),
  };
}
