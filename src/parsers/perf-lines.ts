/** One line of llama.cpp's summary: how long a stage took, and over how many tokens or runs. */
export interface PerfLine {
  readonly stage: "sampling" | "prompt" | "eval" | "load" | "total";
  readonly duration_s: number;
  readonly count: number | undefined;
}

/** A line of llama.cpp's log, and the time its prefix gives. */
export interface LogLine {
  readonly text: string;
  /** Seconds since the log began; undefined where the line has no such prefix. */
  readonly at_s: number | undefined;
}

const PREFIX = /^(\d{1,6})\.([0-5]\d)\.(\d{3})\.(\d{3}) (?:[A-Z] )?(.*)$/;
const LEVEL = /^(?:LOG \w+|[IWEDT]) (?=\S)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a terminal begin with one
const COLOUR = /\u001b\[[\d;]*m/g;

/**
 * Takes the prefix `M.SS.mmm.uuu L ` from a line of llama.cpp's log: minutes, seconds, milliseconds, microseconds since the
 * log began, and the level's letter. Colours of a terminal and `LOG info ` of node-llama-cpp are taken off too.
 */
export function logLine(line: string): LogLine {
  const plain = line.replace(COLOUR, "");
  const [, minutes, seconds, millis, micros, text = ""] = PREFIX.exec(plain) ?? [];
  if (minutes === undefined) return { text: plain.replace(LEVEL, ""), at_s: undefined };
  return { text, at_s: (Number(minutes) * 60e6 + Number(seconds) * 1e6 + Number(`${millis}${micros}`)) / 1e6 };
}

const STAGES: Readonly<Record<string, PerfLine["stage"]>> = {
  sampling: "sampling",
  sample: "sampling",
  "prompt eval": "prompt",
  eval: "eval",
  "generation eval": "eval",
  load: "load",
  total: "total",
};
const PERF =
  /(?:^|[:|\]])\s*(sampling|sample|prompt eval|generation eval|eval|load|total) time\s*=\s*(\S+) ms(?:\s*\/\s*(\d+)\s*(?:tokens|runs))?/;
/** A month: what is longer was not timed. */
const MOST_S = 31 * 86400;

/**
 * Reads one line of the summary of any generation: `llama_print_timings:` (to 2024), `llama_perf_context_print:` (2024 on),
 * `common_perf_print:` (2025 on), and the server's `print_timing`. Rates are not read: they may be `inf` or `nan`.
 *
 * @param text the line without the log's prefix
 * @returns undefined when it is no such line, or its time is no number
 */
export function perfLine(text: string): PerfLine | undefined {
  const [, name = "", duration = "", count] = PERF.exec(text) ?? [];
  const stage = STAGES[name];
  const duration_s = /^\d+(?:\.\d+)?$/.test(duration) ? Number(duration) / 1e3 : Number.NaN;
  if (!stage || !(duration_s <= MOST_S)) return undefined;
  return { stage, duration_s, count: count === undefined ? undefined : countOf(count) };
}

const countOf = (text: string): number | undefined => (Number.isSafeInteger(Number(text)) ? Number(text) : undefined);
