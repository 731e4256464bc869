import type { Reference } from "../model/recording.ts";
import type { Rail } from "./melt-rails.ts";
import type { MeltPrompt, MeltRun } from "./melt-run.ts";
import { J_PER_MWH, METHOD } from "./melt-values.ts";

const NO_VOLTAGE = "its script keeps the rows of the current alone, so that no voltage is left: 0 whatever the power was";

/** Rails with their names, and when their times were zero, seconds since 1970. */
export interface NamedRails {
  readonly rails: readonly (readonly [string, Rail])[];
  readonly origin_s: number;
}

/**
 * The values MELT's own script computes for a Jetson, rail by rail (report_performance.py of jetsonlab-public).
 *
 * The rows of the current strictly between start and end, each times the voltage read next after it in there and the step
 * from the row before. Of MLC's prompts it has taken the voltages away first, and finds nothing.
 */
export function meltRailValues({ rails, origin_s }: NamedRails, run: MeltRun): readonly Reference[] {
  const inWindow = (rail: Rail, start_s: number, end_s: number) => integral(rail, start_s - origin_s, end_s - origin_s);
  return rails.flatMap(([name, rail]) => {
    const loads = run.loads.map((load): Reference => {
      const value = inWindow(rail, load.start_s, load.end_s).energy_mwh * J_PER_MWH;
      return { method: METHOD, name: "load_energy", value, unit: "J", request: load.name, detail: name };
    });
    const sums = (prompt: MeltPrompt) =>
      run.engine === "mlc-cli" ? { energy_mwh: 0, charge_mah: 0 } : inWindow(rail, prompt.start_s, prompt.end_s);
    const prompts = run.prompts.filter(({ outputTokens }) => outputTokens > 0);
    return [...loads, ...prompts.flatMap((prompt) => valuesOf(name, prompt, sums(prompt), run.engine === "mlc-cli"))];
  });
}

function valuesOf(rail: string, prompt: MeltPrompt, sums: { energy_mwh: number; charge_mah: number }, isLost: boolean): Reference[] {
  const { name: request, outputTokens } = prompt;
  const detail = `${rail}, ${isLost ? NO_VOLTAGE : `over ${outputTokens} output tokens, prefill and idle included`}`;
  const shared = { method: METHOD, request, detail };
  return [
    { ...shared, name: "energy_pt", value: sums.energy_mwh / outputTokens, unit: "mWh" },
    { ...shared, name: "discharge_pt", value: sums.charge_mah / outputTokens, unit: "mAh" },
  ];
}

function integral({ current, voltage }: Rail, start_s: number, end_s: number): { energy_mwh: number; charge_mah: number } {
  let [energy_mwh, charge_mah] = [0, 0];
  let before_s = Number.NaN;
  let v = 0;
  for (const [k, at_s] of current.times_s.entries()) {
    if (at_s <= start_s) continue;
    if (at_s >= end_s) break;
    while (v < voltage.times_s.length && voltage.times_s[v]! < at_s) v++;
    const next_s = voltage.times_s[v] ?? Number.POSITIVE_INFINITY;
    if (next_s >= end_s) break;
    const step_h = Number.isNaN(before_s) ? 0 : (at_s - before_s) / 3600;
    const current_ma = current.values[k]! * 1e3;
    energy_mwh += current_ma * voltage.values[v]! * step_h;
    charge_mah += current_ma * step_h;
    before_s = at_s;
  }
  return { energy_mwh, charge_mah };
}
