import type { Reference } from "../model/recording.ts";
import type { MeltRun } from "./melt-run.ts";

export const METHOD = "MELT (its method)";
export const J_PER_MWH = 3.6;

/** The power file as MELT reads it: seconds since 1970 by its own reckoning, mA and V. */
export interface MeltPower {
  readonly times_s: Float64Array;
  readonly current_ma: Float64Array;
  readonly voltage_v: Float64Array;
}

/**
 * The values MELT's own script computes (report-measurements-llms.py and powerlib.py of blade-public).
 *
 * The rows strictly between start and end of a prompt, each times the step from the row before; the first has none, and
 * neither have rows that share the stamp of the one before. Over the output tokens, prefill included, idle included.
 */
export function meltValues(power: MeltPower, run: MeltRun): readonly Reference[] {
  const shared = { method: METHOD };
  const loads = run.loads.map(({ name, start_s, end_s }): Reference => {
    const { energy_mwh } = integral(power, start_s, end_s);
    return { ...shared, name: "load_energy", value: energy_mwh * J_PER_MWH, unit: "J", request: name };
  });
  const prompts = run.prompts
    .filter(({ isReported, outputTokens }) => isReported && outputTokens > 0)
    .flatMap(({ name, start_s, end_s, outputTokens }): readonly Reference[] => {
      const { energy_mwh, charge_mah } = integral(power, start_s, end_s);
      const per = `over ${outputTokens} output tokens, prefill and idle included`;
      return [
        { ...shared, name: "energy_pt", value: energy_mwh / outputTokens, unit: "mWh", request: name, detail: per },
        { ...shared, name: "discharge_pt", value: charge_mah / outputTokens, unit: "mAh", request: name, detail: per },
        { ...shared, name: "request_energy", value: energy_mwh * J_PER_MWH, unit: "J", request: name },
      ];
    });
  return [...loads, ...prompts];
}

function integral(
  { times_s, current_ma, voltage_v }: MeltPower,
  start_s: number,
  end_s: number,
): { energy_mwh: number; charge_mah: number } {
  let energy_mwh = 0;
  let charge_mah = 0;
  for (let k = firstAfter(times_s, start_s) + 1; k < times_s.length && times_s[k]! < end_s; k++) {
    const step_h = (times_s[k]! - times_s[k - 1]!) / 3600;
    energy_mwh += current_ma[k]! * voltage_v[k]! * step_h;
    charge_mah += current_ma[k]! * step_h;
  }
  return { energy_mwh, charge_mah };
}

/** Index of the first time after `start_s`. */
function firstAfter(times_s: Float64Array, start_s: number): number {
  let low = 0;
  let high = times_s.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times_s[middle]! <= start_s) low = middle + 1;
    else high = middle;
  }
  return low;
}
