/** Quantities that tables show, in their order, with the words for them; all others are in `--json`. */
export const HEADLINES: readonly (readonly [string, string])[] = [
  ["load_energy", "model load"],
  ["prefill_energy", "prefill"],
  ["prefill_energy_per_prompt_token", "prefill per prompt token"],
  ["decode_energy_per_token", "decode per token"],
  ["decode_energy_per_token_net", "decode per token, net of idle"],
  ["request_energy_per_output_token", "request per output token"],
  ["request_energy_per_output_token_net", "request per output token, net"],
  ["unit_energy", "window"],
  ["energy_per_unit", "per unit"],
  ["mean_power", "mean power of requests"],
  ["unit_mean_power", "mean power of windows"],
  ["idle_power", "idle power"],
  ["ttft", "time to first token"],
  ["tpot", "time per output token"],
  ["decode_rate", "decode rate"],
];
