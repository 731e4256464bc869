import type { Phase } from "../model/measurement.ts";
import type { Plant, TrueWindow } from "./plant.ts";

/** Sums over all windows of one phase. */
interface Totals {
  readonly n: number;
  readonly energy_j: number;
  readonly net_j: number;
  readonly duration_s: number;
  readonly tokens: number;
}

/**
 * What a summary over all requests should say: energies and latencies are means per request, everything per token
 * and every rate is a ratio of sums. `_net` is without `idle_w` for as long as the window lasts.
 */
export function phoneTruth(plant: Plant, windows: readonly TrueWindow[], idle_w: number): Record<string, number> {
  const total = (phase: Phase) => totals(plant, windows, phase, idle_w);
  const [load, prefill, decode, tail, request] = [total("load"), total("prefill"), total("decode"), total("tail"), total("request")];
  return {
    idle_power: idle_w,
    ...energies("load_energy", load, load.n),
    ...energies("prefill_energy", prefill, prefill.n),
    ...energies("decode_energy", decode, decode.n),
    ...energies("tail_energy", tail, tail.n),
    ...energies("request_energy", request, request.n),
    ...energies("prefill_energy_per_prompt_token", prefill, prefill.tokens),
    ...energies("decode_energy_per_token", decode, decode.tokens),
    ...energies("request_energy_per_output_token", request, request.tokens),
    ttft: prefill.duration_s / prefill.n,
    tpot: decode.duration_s / decode.tokens,
    e2e_latency: request.duration_s / request.n,
    prefill_rate: prefill.tokens / prefill.duration_s,
    decode_rate: decode.tokens / decode.duration_s,
  };
}

function totals(plant: Plant, windows: readonly TrueWindow[], phase: Phase, idle_w: number): Totals {
  let [n, energy_j, duration_s, tokens] = [0, 0, 0, 0];
  for (const window of windows) {
    if (window.phase !== phase) continue;
    n++;
    energy_j += plant.energy_j(window.start_s, window.end_s);
    duration_s += window.end_s - window.start_s;
    tokens += window.tokens;
  }
  return { n, energy_j, net_j: energy_j - idle_w * duration_s, duration_s, tokens };
}

const energies = (name: string, { energy_j, net_j }: Totals, per: number): Record<string, number> => ({
  [name]: energy_j / per,
  [`${name}_net`]: net_j / per,
});
