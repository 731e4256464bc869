import type { Component, Phase, Window } from "../model/measurement.ts";
import { scaled } from "./budget.ts";
import type { WindowEnergy } from "./energies.ts";

/**
 * A quantity of one window as a quotient: over several windows its value is the quotient of the sums.
 *
 * A plain energy or duration has the divisor 1, so that over several windows it becomes their mean.
 */
export interface Quotient {
  readonly name: string;
  readonly unit: string;
  readonly dividend: number;
  readonly divisor: number;
  /** Components of the uncertainty of the dividend, or of the divisor where `timed` says that it is the divisor which is uncertain. */
  readonly components: readonly Component[];
  readonly uncertain: "dividend" | "divisor";
}

/** Standard uncertainty of a duration as a share of it: the rate error of the clock it was read on. */
export type RateUncertainty = number;

interface Recipe {
  readonly name: string;
  readonly unit: string;
  readonly per: "window" | "tokens" | "correct";
}

/** Energies by phase; every one of them comes gross and, as `<name>_net`, net of the idle baseline. */
const ENERGIES: Partial<Record<Phase, readonly Recipe[]>> = {
  load: [{ name: "load_energy", unit: "J", per: "window" }],
  prefill: [
    { name: "prefill_energy", unit: "J", per: "window" },
    { name: "prefill_energy_per_prompt_token", unit: "J/token", per: "tokens" },
  ],
  decode: [
    { name: "decode_energy", unit: "J", per: "window" },
    { name: "decode_energy_per_token", unit: "J/token", per: "tokens" },
  ],
  tail: [{ name: "tail_energy", unit: "J", per: "window" }],
  request: [
    { name: "request_energy", unit: "J", per: "window" },
    { name: "request_energy_per_output_token", unit: "J/token", per: "tokens" },
  ],
  unit: [
    { name: "unit_energy", unit: "J", per: "window" },
    { name: "energy_per_unit", unit: "J", per: "tokens" },
    { name: "energy_per_correct_answer", unit: "J", per: "correct" },
  ],
};

/** Times and rates by phase: NVIDIA and vLLM serving terms, TTFT, TPOT and end-to-end latency. */
const TIMES: Partial<Record<Phase, readonly { name: string; unit: string; as: "duration" | "per_token" | "rate" }[]>> = {
  prefill: [
    { name: "ttft", unit: "s", as: "duration" },
    { name: "prefill_rate", unit: "token/s", as: "rate" },
  ],
  decode: [
    { name: "tpot", unit: "s", as: "per_token" },
    { name: "decode_rate", unit: "token/s", as: "rate" },
  ],
  request: [{ name: "e2e_latency", unit: "s", as: "duration" }],
  unit: [{ name: "time_per_unit", unit: "s", as: "per_token" }],
};

/** Undefined where there is nothing to divide by. A wrong answer is divided by, too: what it cost counts for the right ones. */
function divisorOf({ window }: WindowEnergy, per: Recipe["per"]): number | undefined {
  if (per === "correct") return window.correct;
  const divisor = per === "window" ? 1 : window.tokens;
  return divisor > 0 ? divisor : undefined;
}

/**
 * Everything that can be said of one window; a quotient with nothing to divide by is left out. One with the divisor 0
 * (no correct answer) has no value by itself and counts in the quotient of sums.
 */
export function quotientsOf(energy: WindowEnergy, rateUncertainty: RateUncertainty): Quotient[] {
  const quotients = ofPhase(energy, rateUncertainty);
  const { stage } = energy.window;
  return stage === undefined ? quotients : quotients.map((each) => ({ ...each, name: ofStage(each.name, stage) }));
}

/** The name of a quantity of a unit, of one stage of it: `energy_per_unit:head`. */
export const ofStage = (name: string, stage: string | undefined): string => (stage === undefined ? name : `${name}:${stage}`);

function ofPhase(energy: WindowEnergy, rateUncertainty: RateUncertainty): Quotient[] {
  const { window } = energy;
  const list: Quotient[] = [];
  for (const { name, unit, per } of ENERGIES[window.phase] ?? []) {
    const divisor = divisorOf(energy, per);
    if (divisor === undefined) continue;
    if (energy.energy_j !== null)
      list.push({ name, unit, dividend: energy.energy_j, divisor, components: energy.components, uncertain: "dividend" });
    if (energy.net_j !== null)
      list.push({ name: `${name}_net`, unit, dividend: energy.net_j, divisor, components: energy.netComponents, uncertain: "dividend" });
  }
  const duration_s = window.end_s - window.start_s;
  if (duration_s <= 0) return list;
  if (energy.energy_j !== null && window.phase !== "tail") {
    const { energy_j: dividend, components } = energy;
    list.push({ name: meanPowerName(window.phase), unit: "W", dividend, divisor: duration_s, components, uncertain: "dividend" });
  }
  if (energy.energy_j !== null && window.phase === "request") {
    const product = { dividend: energy.energy_j * duration_s, components: scaled(energy.components, duration_s) };
    list.push({ name: "energy_delay_product", unit: "J s", ...product, divisor: 1, uncertain: "dividend" });
  }
  if (energy.charge_c !== undefined && energy.energy_j) {
    const { charge_c, energy_j } = energy;
    const components = scaled(energy.components, charge_c / energy_j);
    list.push({ name: chargeName(window.phase), unit: "C", dividend: charge_c, divisor: 1, components, uncertain: "dividend" });
    // Energy over charge: the voltage at which the charge was drawn.
    list.push({
      name: voltageName(window.phase),
      unit: "V",
      dividend: energy_j,
      divisor: charge_c,
      components: energy.components,
      uncertain: "dividend",
    });
  }
  const components: Component[] = [{ name: "clock", u: duration_s * rateUncertainty, dof: Number.POSITIVE_INFINITY }];
  for (const { name, unit, as } of TIMES[window.phase] ?? []) {
    if (as !== "duration" && !(window.tokens > 0)) continue;
    if (as === "rate") list.push({ name, unit, dividend: window.tokens, divisor: duration_s, components, uncertain: "divisor" });
    else
      list.push({ name, unit, dividend: duration_s, divisor: as === "per_token" ? window.tokens : 1, components, uncertain: "dividend" });
  }
  return list;
}

const chargeName = (phase: Phase): string => (phase === "request" ? "charge" : `${phase}_charge`);
const voltageName = (phase: Phase): string => (phase === "request" ? "mean_voltage" : `${phase}_mean_voltage`);
const meanPowerName = (phase: Phase): string => (phase === "request" ? "mean_power" : `${phase}_mean_power`);

/** Components of the quotient itself. */
export function quotientComponents({ dividend, divisor, components, uncertain }: Quotient): Component[] {
  return scaled(components, uncertain === "dividend" ? 1 / divisor : dividend / divisor ** 2);
}

/** The names a null window would have had, so that nothing disappears from the results. */
export function energyNames({ phase, stage }: Window): readonly { name: string; unit: string }[] {
  return (ENERGIES[phase] ?? []).filter((each) => each.per === "window").map(({ name, unit }) => ({ name: ofStage(name, stage), unit }));
}
