import type { Random } from "../../src/simulate/random.ts";

/** Seconds since 1970 at which the recorded conversations begin. */
export const EPOCH_S = 1_707_145_758;

/** Two conversations of two prompts: the prompt's tokens, its start, and the instants of its output tokens. */
export const CONVERSATIONS = [
  [
    { input: 40, start_s: 1, tokens_s: [1.25, 1.3, 1.35, 1.4] },
    { input: 12, start_s: 3, tokens_s: [3.1, 3.2, 3.3] },
  ],
  [
    { input: 33, start_s: 10, tokens_s: [10.5, 10.6] },
    { input: 7, start_s: 12, tokens_s: [12.25, 12.5, 12.75, 13, 13.25] },
  ],
] as const;

/** Nanoseconds since 1970 with `coarse_ns` cut off. */
function stamp(time_s: number, coarse_ns: number): string {
  const total = BigInt(EPOCH_S) * 1_000_000_000n + BigInt(Math.round(time_s * 1e9));
  return `${total - (total % BigInt(coarse_ns))}`;
}

const shuffled = <T>(list: readonly T[], random: Random): T[] =>
  list
    .map((each) => [random(), each] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, each]) => each);

/** Events of MLC Chat on Android, in no order: decodes are numbered through the conversation, stamps are milliseconds. */
export function mlcEvents(random: Random): string[] {
  return CONVERSATIONS.flatMap((prompts) => {
    let decode = 0;
    const lines = prompts.flatMap(({ start_s, tokens_s }, p) => [
      `prefill.${p}.start,${stamp(start_s + 0.01, 1e6)}`,
      `prefill.${p}.end,${stamp(tokens_s[0], 1e6)}`,
      ...tokens_s.slice(1).flatMap((end_s, k) => {
        const key = `generate.decode.${decode++}`;
        return [`${key}.start,${stamp(tokens_s[k]!, 1e6)}`, `${key}.end,${stamp(end_s, 1e6)}`];
      }),
      `get_message.${p}.end,${stamp(tokens_s.at(-1)! + 0.01, 1e6)}`,
    ]);
    const load = [`reload.0.start,${stamp(prompts[0].start_s - 0.9, 1e6)}`, `reload.0.end,${stamp(prompts[0].start_s - 0.4, 1e6)}`];
    return shuffled([...load, ...lines], random);
  });
}

/** Events of LLMFarm: samples of tokens, and decodes of which the first two are batches of the prefill. */
export function llmFarmEvents(random: Random, { samples }: { samples: boolean }): string[] {
  return CONVERSATIONS.flatMap((prompts) => {
    const lines = prompts.flatMap(({ start_s, tokens_s }, p) => [
      `prompt.${p}.start,${stamp(start_s, 256)}`,
      `generate.${p}.start,${stamp(start_s + 0.01, 256)}`,
      `generate.${p}.end,${stamp(tokens_s.at(-1)! + 0.02, 256)}`,
      ...[start_s + 0.05, ...tokens_s].map((end_s, b) => `generate.${p}.decode.${b}.end,${stamp(end_s - 1e-4, 256)}`),
      ...(samples ? tokens_s.map((end_s, k) => `generate.${p}.llm_sample.${k}.end,${stamp(end_s, 256)}`) : []),
    ]);
    return shuffled(lines, random);
  });
}

export const llmFarmTimings = (): string[] => [
  "t_start_ms,t_end_ms,t_load_ms,t_sample_ms,t_p_eval_ms,t_eval_ms,n_sample,n_p_eval,n_eval",
  ...CONVERSATIONS.flat().map(({ input, tokens_s }) => [1, 2, 400, 3, 250, 500, tokens_s.length, input, tokens_s.length - 1].join(",")),
];

/** What the app records of its prompts, as MLC's runtime spells it or as its Python patch does. */
export const appRecords = (spelling: " " | "_" = " "): object[] =>
  CONVERSATIONS.map((prompts) => ({
    modelName: "zephyr-3b",
    modelLoadTime: { start: EPOCH_S + prompts[0].start_s - 0.9, duration: 0.5 },
    questionRecords: prompts.map(({ input, start_s, tokens_s }) => ({
      time: { start: EPOCH_S + start_s, duration: tokens_s.at(-1)! + 0.05 - start_s },
      input: "Who are you?",
      output: "…",
      original_session_tokens: -1,
      input_tokens: input - 5,
      output_tokens: tokens_s.length - 1,
      runtimeStats: JSON.stringify({
        prefill: {
          throughput: `${(input / (tokens_s[0] - start_s)).toFixed(1)} tok/s`,
          [`total${spelling}tokens`]: `${input} tok`,
          [`total${spelling}time`]: "0.3 s",
        },
        decode: { throughput: "20.0 tok/s", [`total${spelling}tokens`]: `${tokens_s.length - 1} tok`, [`total${spelling}time`]: "0.2 s" },
      }),
    })),
  }));
