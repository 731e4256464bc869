import type { EventParserKind } from "../model/parser.ts";
import { AppLogParser, type AppRequest } from "./app-log.ts";
import { type Stamp, spansOf } from "./app-stamps.ts";

/** Columns of the timings file, one row per prompt, as llama.cpp counts. */
const COLUMNS = ["t_start_ms", "t_end_ms", "t_load_ms", "t_sample_ms", "t_p_eval_ms", "t_eval_ms", "n_sample", "n_p_eval", "n_eval"];
const PROMPT = /^(?:prompt|generate)\.(\d+)\./;

/** What was stamped during one prompt of one conversation. */
interface Prompt {
  readonly name: string;
  readonly index: number;
  readonly stamps: Stamp[];
}

/** Reads a row of the timings file; no numbers for its header, undefined for any other line. */
function row(line: string): readonly number[] | undefined {
  const cells = line.trim().split(",");
  if (cells.length !== COLUMNS.length) return undefined;
  if (cells.every((cell, k) => cell.trim() === COLUMNS[k])) return [];
  const numbers = cells.map((cell) => (cell.trim() === "" ? Number.NaN : Number(cell)));
  return numbers.every((number) => Number.isFinite(number) && number >= 0) ? numbers : undefined;
}

/** Prompts are numbered from 0 in each conversation. */
function prompts(stamps: readonly Stamp[]): readonly Prompt[] {
  const found: Prompt[] = [];
  let conversation = 0;
  for (const stamp of stamps) {
    const number = PROMPT.exec(stamp.key)?.[1];
    if (number === undefined) continue;
    const index = Number(number);
    const last = found.at(-1);
    if (last?.index === index) {
      last.stamps.push(stamp);
      continue;
    }
    if (last && index < last.index) conversation++;
    found.push({ name: `conv${conversation} prompt${index}`, index, stamps: [stamp] });
  }
  return found;
}

/**
 * Prompts of LLMFarm, llama.cpp on iOS.
 *
 * A token appears where it has been sampled. Where samples were not recorded decodes are: the first of them are the batches
 * of the prefill, so many as there are more decodes than `n_eval`; without that number nobody can tell which.
 */
function requests(stamps: readonly Stamp[], rows: readonly (readonly number[])[]): readonly AppRequest[] {
  return prompts(stamps).map(({ name, stamps: own }, k) => {
    const timing = rows[k];
    const [sampled, prompted, evaluated] = [timing?.[6], timing?.[7], timing?.[8]];
    const samples = spansOf(own, /^generate\.\d+\.llm_sample\.(\d+)\.(start|end)$/).map(({ end_s }) => end_s);
    const decodes = spansOf(own, /^generate\.\d+\.decode\.(\d+)\.(start|end)$/).map(({ end_s }) => end_s);
    const batches = evaluated === undefined ? 0 : Math.max(0, decodes.length - evaluated);
    const tokens = samples.length > 0 ? samples : batches > 0 ? decodes.slice(batches - 1) : [];
    const [first_s, ...later_s] = tokens;
    return { name, start_s: own[0]!.at_s, first_s, later_s, end_s: own.at(-1)!.at_s, promptTokens: prompted, outputTokens: sampled };
  });
}

export const llmfarm: EventParserKind = {
  kind: "llmfarm",
  summary: "LLMFarm: its events (key,nanoseconds), its timings and its records",
  open: () => new AppLogParser({ row, requests, load: /^load_model\.(?:start|end)$/ }),
};
