import type { ImportedFile } from "../model/recording.ts";
import { readStats } from "../parsers/app-records.ts";
import { parseJson } from "../parsers/json-text.ts";
import { textOf } from "./folder.ts";
import { type MeltEvents, readMeltEvents } from "./melt-events.ts";
import { matching, numbersOf } from "./melt-files.ts";
import type { Span } from "./melt-join.ts";
import { readSpans, SPANS } from "./melt-llamacpp.ts";
import type { MeltLoad, MeltPrompt, MeltRun } from "./melt-run.ts";
import { type Problems, quote } from "./problems.ts";

const OUTPUT = /^llm_output_iter\d+_conv\d+\.txt$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's escape sequences begin with one
const ESCAPES = /\u001B(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])/g;

/** One prompt as the answer to `/stats` counts it. */
interface Counted {
  readonly inputTokens: number;
  /** Decodes: the first token came from the prefill. */
  readonly decoded: number;
  readonly prefill_s: number | undefined;
}

/** Whether a program of MLC ran under `expect`, by the command in the first line of its terminal, as MELT tells them. */
export const isMlcCli = (files: readonly ImportedFile[]): boolean =>
  matching(files, OUTPUT).some((file) => {
    const [command = ""] = textOf(file).split("\n", 1);
    return command.includes("mlc") && !command.includes("main");
  });

/**
 * Runs of `mlc_chat` under `expect` on a Jetson: each conversation has `measurements_iter*_conv*.csv` (prompts, timed by
 * `expect`), `llm_output_iter*_conv*.txt` (its terminal, with an answer to `/stats` before each prompt and at the end) and
 * `.tsv` (events).
 *
 * Its events are numbered by counters that never count, so that each prompt overwrites those of the one before: only the
 * last prompt of a conversation has a prefill, and no token has a time.
 */
export function readMlcCliRun(files: readonly ImportedFile[], problems: Problems): MeltRun {
  const conversations = matching(files, SPANS).map((file) => readConversation(file, files, problems));
  const shifted = conversations.reduce((sum, each) => sum + each.shifted, 0);
  const defects = [
    "overwritten events: prompt after prompt and token after token is chat.0.0.decode.0, so no token has a time; totals only",
  ];
  if (shifted > 0) defects.push(`shifted counts: in ${shifted} conversations MELT gives each prompt the /stats of the one before`);
  return {
    clock: "host",
    engine: "mlc-cli",
    model: undefined,
    prompts: conversations.flatMap(({ prompts }) => prompts),
    loads: conversations.flatMap(({ loads }) => loads),
    thermals: [],
    defects,
    u_s: 0,
    wholeMilliseconds: undefined,
  };
}

interface Conversation {
  readonly prompts: readonly MeltPrompt[];
  readonly loads: readonly MeltLoad[];
  /** 1 where there is an answer more than there are prompts: the one before the first. */
  readonly shifted: number;
}

function readConversation(file: ImportedFile, files: readonly ImportedFile[], problems: Problems): Conversation {
  const { iteration, conversation } = numbersOf(file.name);
  const name = `iter${iteration} conv${conversation}`;
  const rows = readSpans(file, problems);
  const spans = rows.filter(({ state }) => state !== "load_model");
  const outputName = `llm_output_iter${iteration}_conv${conversation}.txt`;
  const output = files.find((each) => each.name === outputName);
  const answers = output ? statsOf(output, problems) : [];
  if (answers.length < spans.length) {
    problems.add(outputName, `has answers to /stats of ${answers.length} prompts, expected ${spans.length}`);
    return { prompts: [], loads: [], shifted: 0 };
  }
  const tsv = files.find((each) => each.name === `measurements_iter${iteration}_conv${conversation}.tsv`);
  const events = tsv ? readMeltEvents(tsv, problems).events : new Map<string, number>();
  const counted = answers.slice(answers.length - spans.length);
  return {
    prompts: spans.map((span, index) => promptOf(`${name} prompt${index}`, { span, counted: counted[index]!, events })),
    loads: rows.filter(({ state }) => state === "load_model").map(({ start_s, end_s }) => ({ name, start_s, end_s })),
    shifted: answers.length > spans.length ? 1 : 0,
  };
}

/** The first token: at the end of the prefill where this prompt's is the one not overwritten, else by the engine's rate. */
function promptOf(name: string, { span, counted, events }: { span: Span; counted: Counted; events: MeltEvents }): MeltPrompt {
  const { start_s, end_s } = span;
  const { inputTokens, decoded, prefill_s = Number.POSITIVE_INFINITY } = counted;
  const stamped = [...events].filter(([key]) => /^chat\.\d+\.\d+\.prefill\.end$/.test(key)).map(([, at_s]) => at_s);
  const first = stamped.find((at_s) => at_s > start_s && at_s <= end_s) ?? start_s + prefill_s;
  return {
    name,
    start_s,
    end_s,
    inputTokens,
    outputTokens: decoded,
    tokens: first < end_s ? [first] : [],
    generated: decoded + 1,
    isReported: true,
  };
}

/** Answers to `/stats`: JSON over several lines after the command; the one before the first prompt may be none. */
function statsOf(file: ImportedFile, problems: Problems): readonly Counted[] {
  const parts = textOf(file).replaceAll(ESCAPES, "").split(": /stats").slice(1);
  return parts.flatMap((part): readonly Counted[] => {
    const json = firstObject(part);
    if (json === undefined) return [];
    const { promptTokens, outputTokens, prefill_s } = readStats(parseJson(json)) ?? {};
    if (promptTokens === undefined || outputTokens === undefined) {
      problems.add(file.name, `an answer to /stats has no tokens of prefill and decode: ${quote(json)}`);
      return [];
    }
    return [{ inputTokens: promptTokens, decoded: outputTokens - 1, prefill_s }];
  });
}

/** Text from the first brace to its counterpart, where the text before the next command has both. */
function firstObject(text: string): string | undefined {
  const from = text.indexOf("{");
  let depth = 0;
  for (let k = from; from >= 0 && k < text.length; k++) {
    if (text[k] === "{") depth++;
    if (text[k] === "}" && --depth === 0) return text.slice(from, k + 1);
  }
  return undefined;
}
