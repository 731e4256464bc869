import type { Component, Measurement } from "../model/measurement.ts";
import { combined } from "./budget.ts";
import type { WindowEnergy } from "./energies.ts";
import { energyNames, ofStage, type Quotient, quotientComponents, quotientsOf, type RateUncertainty } from "./quantities.ts";

/** Times and rates of one window whose power was not measured. */
export function durationMeasurements(energy: WindowEnergy, source: string, rateUncertainty: RateUncertainty): Measurement[] {
  return valued(quotientsOf(energy, rateUncertainty)).map((quotient) => measurementOf(quotient, aboutOf(energy, source)));
}

/** The measurements of one window, in the order of their definition. */
export function measurementsOf(energy: WindowEnergy, source: string, rateUncertainty: RateUncertainty): Measurement[] {
  if (energy.window.phase === "token") return tokenMeasurements(energy, source);
  const { window, bounds } = energy;
  const about = aboutOf(energy, source);
  if (energy.energy_j === null)
    return energyNames(window).map(({ name, unit }) => ({ name, value: null, unit, uncertainty: null, ...about }));
  const list = valued(quotientsOf(energy, rateUncertainty)).map((quotient): Measurement => {
    const isEnergy = quotient.name === ofStage(`${window.phase}_energy`, window.stage);
    return { ...measurementOf(quotient, about), ...(isEnergy && bounds ? { bounds } : {}) };
  });
  if (Number.isFinite(energy.peak_w)) {
    const gain = energy.components.find((each) => each.name === "gain");
    const uncertainty = gain && energy.energy_j !== 0 ? (gain.u / Math.abs(energy.energy_j)) * Math.abs(energy.peak_w) : 0;
    list.push({
      name: window.phase === "request" ? "peak_power" : ofStage(`${window.phase}_peak_power`, window.stage),
      value: energy.peak_w,
      unit: "W",
      uncertainty,
      ...about,
    });
  }
  return list;
}

const valued = (quotients: readonly Quotient[]): readonly Quotient[] => quotients.filter(({ divisor }) => divisor > 0);

type About = Omit<Measurement, "name" | "value" | "unit" | "uncertainty" | "index" | "bounds">;

function aboutOf({ window, coverage, flags }: WindowEnergy, source: string): About {
  const { phase, request, tokens, start_s, end_s } = window;
  return { coverage, source, phase, request, tokens, start_s, end_s, flags };
}

const measurementOf = (quotient: Quotient, about: About): Measurement => ({
  name: quotient.name,
  value: quotient.dividend / quotient.divisor,
  unit: quotient.unit,
  uncertainty: combined(quotientComponents(quotient)),
  ...about,
});

/** Of tokens there are so many that nothing is made for them but the measurements themselves. */
function tokenMeasurements(energy: WindowEnergy, source: string): Measurement[] {
  const { window, coverage, flags, bounds, energy_j, net_j } = energy;
  const { request, index = 0, tokens, start_s, end_s } = window;
  const one = (name: string, value: number | null, components: readonly Component[]): Measurement => {
    const uncertainty = value === null ? null : combined(components);
    return { name, value, unit: "J", uncertainty, coverage, source, phase: "token", request, index, tokens, start_s, end_s, flags };
  };
  const gross = one("token_energy", energy_j, energy.components);
  const list = [energy_j !== null && bounds ? { ...gross, bounds } : gross];
  if (net_j !== null) list.push(one("token_energy_net", net_j, energy.netComponents));
  return list;
}
