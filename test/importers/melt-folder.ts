import type { ImportedFile } from "../../src/model/recording.ts";
import { asPyMonsoon, type MonsoonOptions, monsoonRows } from "./monsoon-rows.ts";

/**
 * MELT run folders, constructed in the format its programs write: no recorded one is published.
 *
 * Truth is kept in seconds of the recording computer's clock, zero when the meter's engine was started.
 */
export const ENGINE_S = 1_707_145_758;
/** How long the meter calibrated before its first row, and what passed until that row was stamped. */
export const CALIBRATION_S = 0.5;

/** Two prompts of 1 s: prefill, then a token every 50 ms. */
export const PROMPTS = [
  { start_s: 1.2, first_s: 1.45, end_s: 2.25, tokens: 16 },
  { start_s: 5.3, first_s: 5.6, end_s: 6.4, tokens: 16 },
] as const;
const TOKEN_S = 0.05;

/** 0.9 W or so idle, 9 W in a prompt, model load from 0.6 s to 1 s. */
export const phone: MonsoonOptions = {
  duration_s: 7.5,
  current_ma: (time_s) =>
    PROMPTS.some(({ start_s, end_s }) => time_s >= start_s && time_s < end_s) ? 2300 : time_s >= 0.6 && time_s < 1 ? 1200 : 220,
  late_s: 0.1e-3,
};

export type Texts = Readonly<Record<string, string>>;

export const asFiles = (texts: Texts): readonly ImportedFile[] =>
  Object.entries(texts).map(([name, text]) => ({ name, bytes: new TextEncoder().encode(text) }));

/** The two files of the power, and the configuration. */
export function powerFiles(configuration: object, options: MonsoonOptions = phone): Texts {
  const rows = monsoonRows(options).filter(({ end_s }) => end_s >= CALIBRATION_S + 0.004);
  return {
    "measurements_monsoon.csv": asPyMonsoon(rows),
    ".t_monsoon": `${ENGINE_S + CALIBRATION_S}`,
    "configuration.json": JSON.stringify(configuration),
  };
}

/** Instants of the output tokens of a prompt. */
export const tokenTimes = ({ first_s, tokens }: (typeof PROMPTS)[number]): number[] =>
  Array.from({ length: tokens }, (_, k) => first_s + k * TOKEN_S);

/** Nanoseconds since 1970, exactly; `digits` cut off as a coarse clock does. */
function stamp(time_s: number, coarse_ns: number): string {
  const total = BigInt(ENGINE_S) * 1_000_000_000n + BigInt(Math.round(time_s * 1e9));
  return `${total - (total % BigInt(coarse_ns))}`;
}

const record =
  (behind_s: number) =>
  ({ start_s, end_s, tokens }: (typeof PROMPTS)[number]) => ({
    time: { start: ENGINE_S + start_s - behind_s, duration: end_s - start_s },
    input: "Who are you?",
    output: "…",
    original_session_tokens: -1,
    input_tokens: 40,
    // Decodes: the first token came from the prefill.
    output_tokens: tokens - 1,
    runtimeStats:
      '{"prefill":{"throughput":"160.0 tok/s","total tokens":"40 tok","total time":"0.3 s"},"decode":{"throughput":"20.0 tok/s"}}',
  });

const conversation = (behind_s: number) => [
  {
    modelName: "zephyr-3b",
    modelLoadTime: { start: ENGINE_S + 0.6 - behind_s, duration: 0.4 },
    questionRecords: PROMPTS.map(record(behind_s)),
  },
];

/** MLC Chat on Android: milliseconds written as nanoseconds, decodes numbered through the conversation, in no order. */
export function mlcFolder(behind_s = 0): Texts {
  const at = (time_s: number): string => stamp(time_s - behind_s, 1_000_000);
  let decode = 0;
  const events = PROMPTS.flatMap((prompt, p) => [
    ...tokenTimes(prompt)
      .slice(1)
      .flatMap((end_s) => [`generate.decode.${decode}.start,${at(end_s - 0.049)}`, `generate.decode.${decode++}.end,${at(end_s)}`]),
    `prefill.${p}.end,${at(prompt.first_s)}`,
    `prefill.${p}.start,${at(prompt.start_s + 0.01)}`,
  ]);
  return {
    ...powerFiles({ app: "MLCChat++", device: "Galaxy S23" }),
    "measurements_iter0.json": JSON.stringify(conversation(behind_s)),
    "measurements_iter0_conv0.csv": `${events.toReversed().join("\n")}\n`,
  };
}

/** LLMFarm on an iPhone: samples of tokens, and llama.cpp's timings. */
export function llmFarmFolder(behind_s: number): Texts {
  const at = (time_s: number): string => stamp(time_s - behind_s, 256);
  const events = PROMPTS.flatMap((prompt, p) => tokenTimes(prompt).map((end_s, k) => `generate.${p}.llm_sample.${k}.end,${at(end_s)}`));
  const timings = PROMPTS.map(({ start_s, first_s, end_s, tokens }) =>
    [start_s * 1e3, end_s * 1e3, 400, 3, (first_s - start_s) * 1e3, (end_s - first_s) * 1e3, tokens, 42, tokens - 1].join(","),
  );
  return {
    ...powerFiles({ app: "LLMFarmEval", device: "iPhone 14 Pro" }),
    "measurements_iter0.json": JSON.stringify(conversation(behind_s)),
    "measurements_iter0_conv0.csv": `${events.join("\n")}\n`,
    "measurements_iter0_timing_conv0.csv": `t_start_ms,t_end_ms,t_load_ms,t_sample_ms,t_p_eval_ms,t_eval_ms,n_sample,n_p_eval,n_eval\n${timings.join("\n")}\n`,
    "measurements_iter0_thermals.json": JSON.stringify([{ timestamp: ENGINE_S + 3 - behind_s, state: "fair" }]),
  };
}

/** llama.cpp under expect: prompts by the computer, decodes by a phone that is `behind_s` behind it. */
export function llamaCppFolder(behind_s: number): Texts {
  const slack_s = 0.02;
  const spans = [
    `${ENGINE_S + 0.6},0.4,load_model\r`,
    ...PROMPTS.map(
      ({ start_s, end_s }) =>
        `${ENGINE_S + start_s - slack_s},${(end_s - start_s + 2 * slack_s).toFixed(3)},"Tell me, please,\nwho you are"\r`,
    ),
  ];
  let decode = 0;
  const events = PROMPTS.flatMap((prompt) => [
    `generate.${decode++}.decode.end ${stamp(prompt.start_s + 0.12 - behind_s, 1000)}`,
    ...tokenTimes(prompt).map((end_s) => `generate.${decode++}.decode.end ${stamp(end_s - behind_s, 1000)}`),
  ]);
  const timing = ({ start_s, first_s, tokens }: (typeof PROMPTS)[number]) =>
    [
      "       load time =     525.17 ms",
      `     sample time =       4.28 ms / ${tokens} runs   (    0.20 ms per token,  4909.98 tokens per second)`,
      `prompt eval time =    ${((first_s - start_s) * 1e3).toFixed(2)} ms /    51 tokens (   49.05 ms per token,    20.39 tokens per second)`,
      `       eval time =    1041.43 ms /    ${tokens - 1} runs   (   52.07 ms per token,    19.20 tokens per second)`,
      "      total time =   11653.83 ms",
    ].map((line) => `llama_print_timings: ${line}\r\n`);
  return {
    ...powerFiles({ app: "LlamaCpp", device: "Galaxy S23" }),
    "measurements_iter0_conv0.csv": `start_date,duration,state\n${spans.join("\n")}\n`,
    "measurements_iter0_conv0.tsv": `${events.toReversed().join("\n")}\n`,
    "llm_output_iter0_conv0.txt": `> Tell me\r\n${PROMPTS.flatMap(timing).join("")}`,
  };
}
