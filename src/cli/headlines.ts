/** Quantities that tables show, in their order, with the words for them; all others are in `--json`. */
export const HEADLINES: readonly (readonly [string, string])[] = [
  ["load_energy", "model load"],
  ["prefill_energy", "prefill"],
  ["prefill_energy_per_prompt_token", "prefill per prompt token"],
  ["decode_energy_per_token", "decode per token"],
  ["decode_energy_per_token_net", "decode per token, net of idle"],
  ["request_energy_per_output_token", "request per output token"],
  ["request_energy_per_output_token_net", "request per output token, net"],
  ["request_energy", "request"],
  ["marginal_energy_per_output_token", "one more output token"],
  ["charge", "charge of a request"],
  ["mean_voltage", "drawn at"],
  ["requests_per_charge", "requests per battery charge"],
  ["unit_energy", "window"],
  ["energy_per_unit", "per unit"],
  ["energy_per_correct_answer", "per correct answer"],
  ["accuracy", "right answers"],
  ["mean_power", "mean power of requests"],
  ["unit_mean_power", "mean power of windows"],
  ["idle_power", "idle power"],
  ["time_per_unit", "time per unit"],
  ["ttft", "time to first token"],
  ["tpot", "time per output token"],
  ["decode_rate", "decode rate"],
  ["e2e_latency", "time of a request"],
];

/** The rows of a table of `quantities`, in their order: each headline that is there, and after it those of its stages. */
export function headlinesOf(quantities: Readonly<Record<string, unknown>>): (readonly [string, string])[] {
  const names = Object.keys(quantities);
  return HEADLINES.flatMap(([name, label]) => {
    const stages = names
      .filter((each) => each.startsWith(`${name}:`))
      .map((each) => [each, `  of it ${each.slice(name.length + 1)}`] as const);
    return name in quantities ? [[name, label] as const, ...stages] : stages;
  });
}
