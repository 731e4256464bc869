import { z } from "zod";
import type { ImportedFile } from "../model/recording.ts";
import { readJson } from "./json.ts";
import { type MeltEvents, readMeltEvents, timesOf } from "./melt-events.ts";
import { matching, numbersOf } from "./melt-files.ts";
import type { MeltLoad, MeltPrompt, MeltRun } from "./melt-run.ts";
import { readTimings, type Timings } from "./melt-timings.ts";
import type { Problems } from "./problems.ts";

/** Seconds since 1970, or, in older files, an ISO string. `Date.parse` reads its Z as what it means. */
const Instant = z.union([
  z.number(),
  z.string().transform((text, context) => {
    const at_s = Date.parse(text) / 1000;
    if (Number.isNaN(at_s)) context.addIssue("expected seconds since 1970 or an ISO time");
    return at_s;
  }),
]);
const Time = z.looseObject({ start: Instant, duration: z.number().nonnegative() });
const Question = z.looseObject({
  time: Time,
  input_tokens: z.number(),
  output_tokens: z.number().nonnegative(),
  runtimeStats: z.string().default(""),
});
const Conversation = z.looseObject({
  modelName: z.string().optional(),
  modelLoadTime: Time.optional(),
  questionRecords: z.array(Question).optional(),
  chatRecords: z.array(Question).optional(),
});
type Question = z.infer<typeof Question>;

const RECORDS = /^measurements_iter\d+\.json$/;
const ISO = /"start"\s*:\s*"\d{4}-/;
const Thermals = z.array(z.looseObject({ timestamp: z.number(), state: z.string() }));

/** Runs of the apps MLC Chat and LLMFarm: `measurements_iter*.json`, with the events of each conversation beside it. */
export function readAppRun(files: readonly ImportedFile[], problems: Problems): MeltRun {
  const prompts: MeltPrompt[] = [];
  const loads: MeltLoad[] = [];
  const seen = { iso: false, late: 0, untimed: 0, wholeMilliseconds: undefined as boolean | undefined };
  let model: string | undefined;
  for (const file of matching(files, RECORDS)) {
    const { iteration } = numbersOf(file.name);
    // MELT's script looks for measurements_iter[0-9].json.
    const isReported = iteration < 10;
    if (!isReported) seen.late++;
    if (ISO.test(new TextDecoder().decode(file.bytes))) seen.iso = true;
    for (const [conversation, each] of (readJson(file, z.array(Conversation), problems) ?? []).entries()) {
      const name = `iter${iteration} conv${conversation}`;
      const beside = besides(files, { iteration, conversation }, problems);
      if (beside.wholeMilliseconds !== undefined) seen.wholeMilliseconds = beside.wholeMilliseconds && seen.wholeMilliseconds !== false;
      model ??= each.modelName;
      const load = each.modelLoadTime;
      if (load) loads.push({ name, start_s: load.start, end_s: load.start + load.duration });
      for (const [index, question] of (each.questionRecords ?? each.chatRecords ?? []).entries()) {
        const prompt = promptOf(`${name} prompt${index}`, { question, index, ...beside, isReported });
        if (prompt.tokens.length < 2) seen.untimed++;
        prompts.push(prompt);
      }
    }
  }
  return {
    clock: "phone",
    engine: "app",
    model,
    prompts,
    loads,
    thermals: matching(files, /_thermals\.json$/).flatMap((file) =>
      (readJson(file, Thermals, problems) ?? []).map(({ timestamp, state }) => ({ at_s: timestamp, state })),
    ),
    defects: defects(seen),
    u_s: 0,
    wholeMilliseconds: seen.wholeMilliseconds,
  };
}

interface Beside {
  readonly events: MeltEvents | undefined;
  readonly timings: readonly Timings[];
  readonly wholeMilliseconds: boolean | undefined;
}

function besides(files: readonly ImportedFile[], at: { iteration: number; conversation: number }, problems: Problems): Beside {
  const named = (name: string) => files.find((each) => each.name === name);
  const file = named(`measurements_iter${at.iteration}_conv${at.conversation}.csv`);
  const timing = named(`measurements_iter${at.iteration}_timing_conv${at.conversation}.csv`);
  const read = file && readMeltEvents(file, problems);
  return { events: read?.events, wholeMilliseconds: read?.wholeMilliseconds, timings: timing ? readTimings(timing, problems) : [] };
}

interface Asked extends Beside {
  readonly question: Question;
  readonly index: number;
  readonly isReported: boolean;
}

function promptOf(name: string, { question, index, events, timings, isReported }: Asked): MeltPrompt {
  const { start, duration } = question.time;
  const timing = timings[index];
  const tokens = events ? tokensOf(events, index, Boolean(timing)) : [];
  const first = tokens[0] ?? firstByRate(question, timing);
  return {
    name,
    start_s: start,
    end_s: start + duration,
    inputTokens: timing?.n_p_eval ?? question.input_tokens,
    outputTokens: timing?.n_eval ?? question.output_tokens,
    tokens: tokens.length > 0 || first === undefined ? tokens : [first],
    // MLC samples the first token in its prefill and does not count it; llama.cpp samples one more than it evaluates.
    generated: tokens.length > 1 ? tokens.length : (timing?.n_sample ?? question.output_tokens + 1),
    isReported,
  };
}

/**
 * Instants at which the tokens of a prompt appeared.
 *
 * MLC: the first at the end of the prefill, then one with each decode; those are numbered through the conversation, so
 * they belong to the prefill before them. LLMFarm: each where the engine had sampled it.
 */
function tokensOf(events: MeltEvents, index: number, isLlamaFarm: boolean): readonly number[] {
  if (isLlamaFarm) return timesOf(events, new RegExp(`^generate\\.${index}\\.llm_sample\\.\\d+\\.end$`));
  const first = events.get(`prefill.${index}.end`);
  if (first === undefined) return [];
  const next = events.get(`prefill.${index + 1}.start`) ?? Number.POSITIVE_INFINITY;
  return [first, ...timesOf(events, /^generate\.decode\.\d+\.end$/).filter((at_s) => at_s >= first && at_s < next)];
}

/** Where no event tells, the engine's own rate does: the prompt's tokens over it, after the start. */
function firstByRate({ time, input_tokens, runtimeStats }: Question, timing: Timings | undefined): number | undefined {
  if (timing) return time.start + timing.t_p_eval_ms / 1e3;
  const rate = Number(/"prefill"[^}]*"throughput"\s*:\s*"([\d.]+)/.exec(runtimeStats)?.[1]);
  const first_s = time.start + input_tokens / rate;
  return rate > 0 && first_s < time.start + time.duration ? first_s : undefined;
}

function defects({
  iso,
  late,
  untimed,
  wholeMilliseconds,
}: {
  iso: boolean;
  late: number;
  untimed: number;
  wholeMilliseconds?: boolean | undefined;
}) {
  const found: string[] = [];
  if (iso) found.push("UTC as local: times end in Z, and MELT reads them as local time, 3600 s off in British summer; here they are UTC");
  if (late > 0) found.push(`${late} iterations from the tenth on: MELT's script does not look for them`);
  if (untimed > 0) found.push(`${untimed} prompts without events of their tokens: the first token by the engine's rate, or unknown`);
  if (wholeMilliseconds) found.push("stamps of 1 ms, written as nanoseconds: tokens can share one");
  return found;
}
