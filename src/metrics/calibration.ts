import type { ChannelErrors, Uncertain } from "../model/instrument.ts";
import type { Component } from "../model/measurement.ts";
import { combined, expanded } from "./budget.ts";

/** Mean of a reading held steady, its standard uncertainty (type A), and the degrees of freedom of that. */
export interface SteadyMean extends Uncertain {
  readonly dof: number;
}

/** A channel as it showed a steady load. */
export interface SteadyReading {
  readonly current_a: SteadyMean;
  readonly voltage_v: SteadyMean;
}

/** What is known of the load by other means; uncertainties are standard (k = 1). */
export type LoadReference =
  /** A resistor across the supply; the voltage over it by another meter, else the instrument's own counts. */
  | { readonly resistor_ohm: Uncertain; readonly voltage_v?: Uncertain }
  /** A second meter in the same circuit. */
  | { readonly current_a: Uncertain; readonly voltage_v?: Uncertain };

/** What the instrument itself says of its accuracy. */
export interface OwnAccuracy {
  readonly currentOffset_a: number;
  readonly voltageOffset_v: number;
  readonly currentResolution_a: number;
  readonly voltageResolution_v: number;
  /** Relative standard uncertainty of the voltage gain, for references that leave it open. */
  readonly voltageGain_u: number;
}

/** The errors found, each with its budget: currents in amperes, gains relative. */
export interface CalibrationResult {
  readonly errors: ChannelErrors;
  readonly budget: Readonly<Partial<Record<"zero" | "current" | "voltage" | "power", readonly Component[]>>>;
}

/** Components that current and voltage owe to one cause: in their product they add up instead of in quadrature. */
const OF_ONE_CAUSE = new Set(["reference voltage", "own voltage"]);
const FOREVER = Number.POSITIVE_INFINITY;

/**
 * Zero current and gains of a channel from steady readings: reference, noise and least count by name (JCGM 100:2008, 4).
 *
 * Without a reference voltage the instrument's own stands in for it. Against a resistor its error then enters power
 * twice, since the current is judged by that voltage, too.
 */
export function calibrate(
  shown: { readonly zero?: SteadyReading; readonly load?: SteadyReading },
  reference: LoadReference | undefined,
  own: OwnAccuracy,
): CalibrationResult {
  const zero = shown.zero ? zeroOf(shown.zero, own) : undefined;
  const offset: Uncertain = zero ? { value: zero.value, u: combined(zero.budget) } : { value: 0, u: own.currentOffset_a };
  const errors = zero ? { currentOffset_a: { value: zero.value, u: standard(zero.budget) } } : {};
  const budget = zero ? { zero: zero.budget } : {};
  if (!shown.load || !reference) return { errors, budget };
  const current_a = shown.load.current_a.value - offset.value;
  const voltage_v = shown.load.voltage_v.value;
  const supply = supplyOf(reference, shown.load, own);
  const trueCurrent_a = "current_a" in reference ? reference.current_a.value : supply.value / reference.resistor_ohm.value;
  const current: Component[] = [
    "current_a" in reference
      ? typeB("reference current", reference.current_a.u / reference.current_a.value)
      : typeB("reference resistor", reference.resistor_ohm.u / reference.resistor_ohm.value),
    ...("current_a" in reference ? [] : [supply.component]),
    { name: "noise of the current", u: shown.load.current_a.u / current_a, dof: shown.load.current_a.dof },
    typeB("resolution of the current", own.currentResolution_a / Math.sqrt(12) / current_a),
    typeB("zero", offset.u / current_a),
  ];
  const voltage: Component[] = [supply.component];
  if (reference.voltage_v)
    voltage.push(
      { name: "noise of the voltage", u: shown.load.voltage_v.u / voltage_v, dof: shown.load.voltage_v.dof },
      typeB("resolution of the voltage", own.voltageResolution_v / Math.sqrt(12) / voltage_v),
    );
  const power = product(current, voltage);
  return {
    errors: {
      ...errors,
      currentGain: { value: trueCurrent_a / current_a, u: (standard(current) * trueCurrent_a) / current_a },
      ...(reference.voltage_v
        ? { voltageGain: { value: supply.value / voltage_v, u: (standard(voltage) * supply.value) / voltage_v } }
        : {}),
      powerGain_u: standard(power),
    },
    budget: { ...budget, current, ...(reference.voltage_v ? { voltage } : {}), power },
  };
}

function zeroOf({ current_a }: SteadyReading, own: OwnAccuracy): { readonly value: number; readonly budget: readonly Component[] } {
  const noise = { name: "noise of the current", u: current_a.u, dof: current_a.dof };
  return { value: current_a.value, budget: [noise, typeB("resolution of the current", own.currentResolution_a / Math.sqrt(12))] };
}

/** The true voltage over the load, and what it owes its uncertainty to, relative. */
function supplyOf({ voltage_v }: LoadReference, shown: SteadyReading, own: OwnAccuracy): { value: number; component: Component } {
  if (voltage_v) return { value: voltage_v.value, component: typeB("reference voltage", voltage_v.u / voltage_v.value) };
  const { value, u } = shown.voltage_v;
  const parts = [own.voltageOffset_v, own.voltageResolution_v / Math.sqrt(12), u].map((each) => each / value);
  return { value, component: typeB("own voltage", Math.hypot(own.voltageGain_u, ...parts)) };
}

function product(current: readonly Component[], voltage: readonly Component[]): Component[] {
  const common = (name: string): number => voltage.find((each) => each.name === name && OF_ONE_CAUSE.has(name))?.u ?? 0;
  return [
    ...current.map((each) => ({ ...each, u: each.u + common(each.name) })),
    ...voltage.filter((each) => !OF_ONE_CAUSE.has(each.name) || !current.some(({ name }) => name === each.name)),
  ];
}

const typeB = (name: string, u: number): Component => ({ name, u: Math.abs(u), dof: FOREVER });

/** Half the expanded uncertainty: few readings widen it, and whoever uses it counts it as known for ever. */
const standard = (components: readonly Component[]): number => expanded(components.filter((each) => each.u > 0)).U / 2;
