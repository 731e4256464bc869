import { z } from "zod";

/** Eleven days: what is longer was not timed. */
const Milliseconds = z.number().nonnegative().max(1e9);
const Count = z.int().nonnegative();

/**
 * `timings` of llama-server: its own stopwatch of one request.
 *
 * `prompt_ms` runs from the beginning of the prefill until the first output token was sampled, `predicted_ms` from there
 * to the latest; `prompt_n` are the prompt tokens prefilled, `cache_n` those found in the cache (older servers do not say).
 */
export const Timings = z.looseObject({
  cache_n: Count.optional(),
  prompt_n: Count,
  prompt_ms: Milliseconds,
  predicted_n: Count,
  predicted_ms: Milliseconds,
});
export type Timings = z.infer<typeof Timings>;

/** What one message of llama-server says of the request under way. */
export interface Answer {
  readonly timings?: Timings | undefined;
  /** Output tokens so far, by the server's count. */
  readonly predicted?: number | undefined;
  /** Time since the prefill began, where the message tells of its progress. */
  readonly progress_s?: number | undefined;
  /** The server's name for the request. */
  readonly name?: string | undefined;
  /** It brings output, counted or not. */
  readonly hasOutput: boolean;
  /** Its numbers are those of the whole request. */
  readonly isTotal: boolean;
  /** Nothing more comes. */
  readonly isLast: boolean;
  /** The server refused or failed. */
  readonly error?: "refused" | "crash";
}

const Progress = z.looseObject({ time_ms: Milliseconds });
const Completion = z.looseObject({
  stop: z.boolean(),
  tokens_predicted: Count,
  timings: Timings.optional(),
  prompt_progress: Progress.optional(),
});
const Text = z.string().nullish();
const Delta = z.looseObject({ content: Text, reasoning_content: Text, tool_calls: z.array(z.unknown()).nullish() });
const Chat = z.looseObject({
  object: z.enum(["chat.completion.chunk", "chat.completion", "text_completion"]),
  choices: z.array(z.looseObject({ finish_reason: z.string().nullish(), text: z.string().optional(), delta: Delta.optional() })),
  id: z.string().optional(),
  timings: Timings.optional(),
  prompt_progress: Progress.optional(),
  usage: z.looseObject({ completion_tokens: Count }).nullish(),
});
const Failure = z.looseObject({ error: z.looseObject({ code: z.union([z.number(), z.string()]).nullish() }) });

/** Reads one JSON object of a stream or a body; undefined when it tells of no request. */
export function readAnswer(value: unknown, isStreamed: boolean): Answer | undefined {
  const completion = Completion.safeParse(value);
  if (completion.success) {
    const { stop, tokens_predicted, timings, prompt_progress } = completion.data;
    if (prompt_progress) return progressing(prompt_progress);
    return { timings, predicted: tokens_predicted, hasOutput: tokens_predicted > 0, isTotal: stop, isLast: stop };
  }
  const chat = Chat.safeParse(value);
  if (chat.success) {
    const { object, id, choices, timings, prompt_progress, usage } = chat.data;
    if (prompt_progress) return { ...progressing(prompt_progress), name: id };
    // A stream of this kind ends with the line [DONE].
    const isLast = object !== "chat.completion.chunk" && !isStreamed;
    return {
      timings,
      predicted: usage?.completion_tokens,
      name: id,
      hasOutput: isLast || choices.some(({ text, delta }) => text || delta?.content || delta?.reasoning_content || delta?.tool_calls),
      isTotal: isLast || choices.every(({ finish_reason }) => typeof finish_reason === "string"),
      isLast,
    };
  }
  const failure = Failure.safeParse(value);
  if (!failure.success) return undefined;
  const code = Number(failure.data.error.code);
  return { hasOutput: false, isTotal: true, isLast: true, error: code >= 400 && code < 500 ? "refused" : "crash" };
}

/** Its counts and `timings` are not read: while a prompt is prefilled older servers repeat those of the request before. */
const progressing = ({ time_ms }: z.infer<typeof Progress>): Answer => ({
  progress_s: time_ms / 1e3,
  hasOutput: false,
  isTotal: false,
  isLast: false,
});
