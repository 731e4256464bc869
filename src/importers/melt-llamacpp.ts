import type { ImportedFile } from "../model/recording.ts";
import { textOf } from "./folder.ts";
import { readMeltEvents, timesOf } from "./melt-events.ts";
import { ENERGY, matching, numbersOf } from "./melt-files.ts";
import { type Span, tokensByPrompt } from "./melt-join.ts";
import type { MeltLoad, MeltPrompt, MeltRun } from "./melt-run.ts";
import { printedTimings, type Timings } from "./melt-timings.ts";
import type { Problems } from "./problems.ts";

export const SPANS = /^measurements_iter\d+_conv\d+\.csv$/;
const HEADER = "start_date,duration,state";
const ROW = /^(\d{9,}(?:\.\d+)?),(\d+(?:\.\d+)?),(.*)$/;

/** Whether these files are llama.cpp's: its prompts are timed by `expect`, in files with a header. */
export const isLlamaCpp = (files: readonly ImportedFile[]): boolean =>
  matching(files, SPANS).some((file) => textOf(file).trimStart().startsWith(HEADER));

/**
 * Runs of llama.cpp's `main` under `expect`: each conversation has `measurements_iter*_conv*.csv` (prompts, timed by the
 * computer that records), `.tsv` (events, stamped by the device) and `llm_output_iter*_conv*.txt` (its terminal). A Jetson
 * records itself, so that all of it is on one clock.
 */
export function readLlamaCppRun(files: readonly ImportedFile[], problems: Problems): MeltRun {
  const isOneClock = matching(files, ENERGY).length > 0;
  const conversations = matching(files, SPANS).map((file) => readConversation(file, { files, isOneClock }, problems));
  const joined = conversations.map(({ u_s }) => u_s).filter((u_s) => u_s !== undefined);
  const alone = conversations.length - joined.length;
  const defects = isOneClock
    ? []
    : ["two clocks: prompts are timed by the recording computer, tokens by the device, and MELT joins both to one trace"];
  if (alone > 0) defects.push(`${alone} conversations whose tokens could not be joined to their prompts: totals only`);
  return {
    clock: "host",
    engine: "llama.cpp",
    model: undefined,
    prompts: conversations.flatMap(({ prompts }) => prompts),
    loads: conversations.flatMap(({ loads }) => loads),
    thermals: [],
    defects,
    u_s: Math.max(0, ...joined),
    wholeMilliseconds: undefined,
  };
}

interface Conversation {
  readonly prompts: readonly MeltPrompt[];
  readonly loads: readonly MeltLoad[];
  /** Of the device's clock on the computer's; undefined where they could not be joined. */
  readonly u_s: number | undefined;
}

interface Beside {
  readonly files: readonly ImportedFile[];
  readonly isOneClock: boolean;
}

function readConversation(file: ImportedFile, { files, isOneClock }: Beside, problems: Problems): Conversation {
  const { iteration, conversation } = numbersOf(file.name);
  const name = `iter${iteration} conv${conversation}`;
  const rows = readSpans(file, problems);
  const spans = rows.filter(({ state }) => state !== "load_model");
  const output = files.find((each) => each.name === `llm_output_iter${iteration}_conv${conversation}.txt`);
  const printed = output ? printedTimings(textOf(output)) : [];
  if (printed.length < spans.length) {
    const where = output?.name ?? `llm_output_iter${iteration}_conv${conversation}.txt`;
    problems.add(where, `has llama_print_timings of ${printed.length} prompts, expected ${spans.length}`);
    return { prompts: [], loads: [], u_s: undefined };
  }
  // As MELT does: timings of the first ones belong to the system prompt.
  const timings = printed.slice(printed.length - spans.length);
  const tsv = files.find((each) => each.name === `measurements_iter${iteration}_conv${conversation}.tsv`);
  const decodes = tsv ? timesOf(readMeltEvents(tsv, problems).events, /^generate\.\d+\.decode\.end$/) : [];
  const joined = tokensByPrompt(
    decodes,
    spans,
    timings.map(({ n_eval }) => n_eval),
    isOneClock,
  );
  return {
    prompts: spans.map((span, index) =>
      promptOf(`${name} prompt${index}`, { span, timing: timings[index]!, tokens: joined?.tokens[index] }),
    ),
    loads: rows.filter(({ state }) => state === "load_model").map(({ start_s, end_s }) => ({ name, start_s, end_s })),
    u_s: joined?.u_s,
  };
}

function promptOf(name: string, each: { span: Span; timing: Timings; tokens: readonly number[] | undefined }): MeltPrompt {
  const { span, timing, tokens } = each;
  return {
    name,
    start_s: span.start_s,
    end_s: span.end_s,
    inputTokens: timing.n_p_eval,
    outputTokens: timing.n_eval,
    tokens: tokens ?? [Math.min(span.end_s, span.start_s + timing.t_p_eval_ms / 1e3)],
    generated: tokens ? tokens.length : timing.n_sample,
    isReported: true,
  };
}

/** The rows `expect` wrote: start, duration, and the prompt, which may go on over lines of its own. */
export function readSpans(file: ImportedFile, problems: Problems): readonly (Span & { readonly state: string })[] {
  const rows = textOf(file)
    .split("\n")
    .flatMap((line) => {
      const [, start, duration, state = ""] = ROW.exec(line.trim()) ?? [];
      if (start === undefined) return [];
      return [{ start_s: Number(start), end_s: Number(start) + Number(duration), state: state.replaceAll('"', "").trim() }];
    });
  if (rows.length === 0) problems.add(file.name, `has no row; expected ${HEADER}`);
  return rows;
}
