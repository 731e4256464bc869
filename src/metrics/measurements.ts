import type { Measurement } from "../model/measurement.ts";
import { combined } from "./budget.ts";
import type { WindowEnergy } from "./energies.ts";
import { energyNames, quotientComponents, quotientsOf, type RateUncertainty } from "./quantities.ts";

/** The measurements of one window, in the order of their definition. */
export function measurementsOf(energy: WindowEnergy, source: string, rateUncertainty: RateUncertainty): Measurement[] {
  const { window, coverage, flags, bounds } = energy;
  const about = {
    coverage,
    source,
    phase: window.phase,
    request: window.request,
    ...(window.index === undefined ? {} : { index: window.index }),
    tokens: window.tokens,
    start_s: window.start_s,
    end_s: window.end_s,
    flags,
  };
  if (energy.energy_j === null)
    return energyNames(window.phase).map(({ name, unit }) => ({ name, value: null, unit, uncertainty: null, ...about }));
  const list = quotientsOf(energy, rateUncertainty).map((quotient): Measurement => {
    const isEnergy = quotient.name === `${window.phase}_energy`;
    return {
      name: quotient.name,
      value: quotient.dividend / quotient.divisor,
      unit: quotient.unit,
      uncertainty: combined(quotientComponents(quotient)),
      ...about,
      ...(isEnergy && bounds ? { bounds } : {}),
    };
  });
  if (window.phase !== "token" && Number.isFinite(energy.peak_w)) {
    const gain = energy.components.find((each) => each.name === "gain");
    const uncertainty = gain && energy.energy_j !== 0 ? (gain.u / Math.abs(energy.energy_j)) * Math.abs(energy.peak_w) : 0;
    list.push({
      name: window.phase === "request" ? "peak_power" : `${window.phase}_peak_power`,
      value: energy.peak_w,
      unit: "W",
      uncertainty,
      ...about,
    });
  }
  return list;
}
