import type { ImportedFile } from "../model/recording.ts";
import { type PerfLine, perfLine } from "../parsers/perf-lines.ts";
import { readHeader, readRows } from "./csv.ts";
import type { Problems } from "./problems.ts";

/** One prompt as llama.cpp timed it: tokens evaluated and sampled, and the milliseconds of the prompt's evaluation. */
export interface Timings {
  readonly t_p_eval_ms: number;
  readonly n_sample: number;
  readonly n_p_eval: number;
  readonly n_eval: number;
}

const COLUMNS = ["t_end_ms", "t_p_eval_ms", "n_sample", "n_p_eval", "n_eval"] as const;

/** Reads `measurements_iter*_timing_conv*.csv` of LLMFarm: one row per prompt. */
export function readTimings(file: ImportedFile, problems: Problems): readonly Timings[] {
  const header = readHeader(file, problems);
  const lacking = COLUMNS.filter((name) => header && !header.names.includes(name));
  if (!header || lacking.length > 0) {
    if (header) problems.add(`${file.name}:${header.line}`, `lacks the columns ${lacking.join(", ")}`);
    return [];
  }
  const { rows, columns } = readRows(file, header, COLUMNS, problems);
  const at = (name: (typeof COLUMNS)[number], k: number): number => columns.get(name)![k]!;
  return Array.from({ length: rows }, (_, k) => ({
    t_p_eval_ms: at("t_p_eval_ms", k),
    n_sample: at("n_sample", k),
    n_p_eval: at("n_p_eval", k),
    n_eval: at("n_eval", k),
  }));
}

/** The five `llama_print_timings:` lines llama.cpp prints after each prompt, as its terminal showed them. */
export function printedTimings(text: string): readonly Timings[] {
  const found: Timings[] = [];
  const lines = text.split("\n").filter((line) => line.includes("llama_print_timings:"));
  for (let k = 0; k + 4 < lines.length; k += 5) {
    const [, sample, prompt, evaluated] = lines.slice(k, k + 5).map(perfLine);
    const count = (line: PerfLine | undefined): number => line?.count ?? Number.NaN;
    const t_p_eval_ms = (prompt?.duration_s ?? Number.NaN) * 1e3;
    found.push({ t_p_eval_ms, n_sample: count(sample), n_p_eval: count(prompt), n_eval: count(evaluated) });
  }
  return found;
}
