import type { Component, Measurement } from "../model/measurement.ts";
import type { Recording } from "../model/recording.ts";
import type { BudgetLine, SummaryValue } from "../model/results.ts";
import { type Baseline, type Baselines, isSteady } from "./baseline.ts";
import { combined, expanded } from "./budget.ts";
import { constantEffects, type EnergyContext, type WindowEnergy } from "./energies.ts";
import { marginalEnergy } from "./marginal.ts";
import type { Summary } from "./summary.ts";

const FOREVER = Number.POSITIVE_INFINITY;

/** Quantities that belong to the session as a whole, put into its summary: idle powers, marginal energy, battery charges. */
export function addSessionValues(
  summary: Summary,
  baselines: Baselines,
  {
    counted,
    context,
    recording,
  }: { readonly counted: readonly WindowEnergy[]; readonly context: EnergyContext; readonly recording: Recording },
): void {
  const named = { idle_power: baselines.used, idle_power_cold: baselines.cold, idle_power_hot: baselines.hot };
  for (const [name, baseline] of Object.entries(named)) {
    if (!baseline) continue;
    const components = idleComponents(baseline, context);
    const { U, k } = expanded(components);
    put(summary, name, { value: baseline.power_w, unit: "W", expanded_uncertainty: U, k, n: baseline.dof + 1 }, lines(components));
  }
  const phase = (wanted: string): WindowEnergy[] => counted.filter((each) => each.window.phase === wanted);
  const marginal = marginalEnergy(phase("request"), phase("prefill"), context.accuracy.gain);
  if (marginal) put(summary, "marginal_energy_per_output_token", marginal.value, marginal.budget);
  const request = summary.values.request_energy;
  if (recording.battery_j !== undefined && request) {
    const value = recording.battery_j / request.value;
    put(
      summary,
      "requests_per_charge",
      { ...request, value, unit: "1", expanded_uncertainty: (value * request.expanded_uncertainty) / request.value },
      [],
    );
  }
}

/** The idle power that net values refer to, as a measurement. */
export function idleMeasurement(baseline: Baseline, { idle }: Recording, context: EnergyContext, source: string): Measurement {
  const [start_s, end_s] = [idle[0]![0], idle.at(-1)![1]];
  const about = { coverage: 1, source, phase: "idle" as const, request: "", tokens: 0, start_s, end_s, flags: [] };
  return { name: "idle_power", value: baseline.power_w, unit: "W", uncertainty: combined(idleComponents(baseline, context)), ...about };
}

/** Marks what an unsteady baseline makes doubtful: idle power, and every value net of it. */
export function flagUnsteady(measurements: readonly Measurement[], { used }: Baselines): readonly Measurement[] {
  if (!used || isSteady(used)) return measurements;
  return measurements.map((each) =>
    each.phase === "idle" || each.name.endsWith("_net") ? { ...each, flags: [...each.flags, "BASELINE_UNSTEADY"] } : each,
  );
}

function idleComponents(baseline: Baseline, context: EnergyContext): Component[] {
  const { currentOffset_w, voltageOffset_w, resolution_w } = constantEffects(baseline.power_w, context);
  return [
    { name: "gain", u: Math.abs(baseline.power_w) * context.accuracy.gain, dof: FOREVER },
    { name: "current offset", u: currentOffset_w, dof: FOREVER },
    { name: "voltage offset", u: voltageOffset_w, dof: FOREVER },
    { name: "resolution", u: resolution_w, dof: FOREVER },
    { name: "repeats", u: baseline.u_w, dof: baseline.dof },
  ].filter((each) => each.u > 0);
}

const lines = (components: readonly Component[]): BudgetLine[] =>
  components.map(({ name, u, dof }) => ({ component: name, u, dof: Number.isFinite(dof) ? dof : null }));

function put(summary: Summary, name: string, value: SummaryValue, budget: readonly BudgetLine[]): void {
  summary.values[name] = value;
  summary.budget[name] = [...budget];
}
