import { z } from "zod";
import { parseJson } from "./json-text.ts";

const Text = z.string();
/** `283.4 tok/s`, `47 tok`, `0.2 s`, or the number alone. */
const Amount = z.union([z.number().nonnegative(), Text.transform((text) => Number.parseFloat(text)).pipe(z.number().nonnegative())]);
const Stage = z.looseObject({
  throughput: Amount.optional(),
  "total tokens": Amount.optional(),
  total_tokens: Amount.optional(),
  "total time": Amount.optional(),
  total_time: Amount.optional(),
});
const Stats = z.looseObject({ prefill: Stage, decode: Stage });

/** What MLC's runtime says of its last prefill and what it decoded since. */
export interface RuntimeStats {
  readonly promptTokens: number | undefined;
  readonly prefill_s: number | undefined;
  /** The decodes, and one: MLC samples the first output token in its prefill and does not count it. */
  readonly outputTokens: number | undefined;
  readonly decode_s: number | undefined;
}

/** Reads MLC's statistics: an object with `prefill` and `decode`; undefined when it is none. */
export function readStats(value: unknown): RuntimeStats | undefined {
  const stats = Stats.safeParse(value);
  if (!stats.success) return undefined;
  const [prefill, decode] = [amountsOf(stats.data.prefill), amountsOf(stats.data.decode)];
  const outputTokens = decode.tokens === undefined ? undefined : decode.tokens + 1;
  return { promptTokens: prefill.tokens, prefill_s: prefill.duration_s, outputTokens, decode_s: decode.duration_s };
}

/** Four digits of a rate tell more of a duration than the one digit after its point. */
function amountsOf(stage: z.infer<typeof Stage>): { readonly tokens: number | undefined; readonly duration_s: number | undefined } {
  const tokens = stage["total tokens"] ?? stage.total_tokens;
  const { throughput = 0 } = stage;
  const byRate_s = tokens === undefined || throughput <= 0 ? undefined : tokens / throughput;
  const duration_s = byRate_s ?? stage["total time"] ?? stage.total_time;
  return { tokens: Number.isSafeInteger(tokens) ? tokens : undefined, duration_s };
}

/** Seconds since 1970, or, in older files, an ISO time. */
const Instant = z.union([z.number(), Text.transform((text) => Date.parse(text) / 1e3).pipe(z.number())]);
const Time = z.looseObject({ start: Instant, duration: z.number().nonnegative() });
const Question = z.looseObject({
  time: Time,
  input_tokens: z.number().optional(),
  output_tokens: z.int().nonnegative().optional(),
  runtimeStats: Text.default(""),
});
const Conversation = z
  .looseObject({
    modelName: Text.optional(),
    modelLoadTime: Time.optional(),
    questionRecords: z.array(Question).optional(),
    chatRecords: z.array(Question).optional(),
  })
  .refine(({ questionRecords, chatRecords }) => questionRecords !== undefined || chatRecords !== undefined);

/** A prompt as the app recorded it, seconds since 1970 on the phone's clock. */
export interface RecordedQuestion {
  readonly start_s: number;
  readonly end_s: number;
  readonly promptTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly prefill_s: number | undefined;
}

export interface RecordedConversation {
  readonly model: string | undefined;
  readonly load: { readonly start_s: number; readonly end_s: number } | undefined;
  readonly questions: readonly RecordedQuestion[];
}

/** Reads one conversation of `measurements_iter*.json`; undefined when it is none. */
export function readConversation(value: unknown): RecordedConversation | undefined {
  const read = Conversation.safeParse(value);
  if (!read.success) return undefined;
  const { modelName: model, modelLoadTime, questionRecords, chatRecords } = read.data;
  const load = modelLoadTime && { start_s: modelLoadTime.start, end_s: modelLoadTime.start + modelLoadTime.duration };
  return { model, load, questions: (questionRecords ?? chatRecords ?? []).map(questionOf) };
}

function questionOf({ time, input_tokens, output_tokens, runtimeStats }: z.infer<typeof Question>): RecordedQuestion {
  const stats = readStats(parseJson(runtimeStats));
  // -1 where the app did not count.
  const asked = input_tokens !== undefined && Number.isSafeInteger(input_tokens) && input_tokens >= 0 ? input_tokens : undefined;
  return {
    start_s: time.start,
    end_s: time.start + time.duration,
    promptTokens: stats?.promptTokens ?? asked,
    outputTokens: stats?.outputTokens ?? (output_tokens === undefined ? undefined : output_tokens + 1),
    prefill_s: stats?.prefill_s,
  };
}
