import { z } from "zod";

/** What llama-bench says of one test. */
export interface BenchRecord {
  readonly format: "json" | "csv" | "sql" | "md";
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly depth: number;
  readonly model?: string | undefined;
  /** How long each run took, seconds; undefined where the format has no samples. */
  readonly samples_s: readonly number[] | undefined;
  /** Their mean, seconds; undefined where the format gives rates alone. */
  readonly mean_s: number | undefined;
}

/** A number, or in the formats that quote everything its digits. */
const Numeric = z.union([
  z.number(),
  z
    .string()
    .regex(/^\d+(?:\.\d+)?$/)
    .transform(Number),
]);
const Count = Numeric.pipe(z.int().nonnegative());
/** Eleven days: what is longer was not timed. */
const Nanoseconds = Numeric.pipe(z.number().nonnegative().max(1e15));
const Row = z.looseObject({
  n_prompt: Count,
  n_gen: Count,
  n_depth: Count.default(0),
  avg_ns: Nanoseconds,
  model_filename: z.string().optional(),
});
const Record = Row.extend({ samples_ns: z.array(Nanoseconds).min(1).optional() });

/** Reads an object of `-o json` or `-o jsonl`; undefined when it is none. */
export function jsonRecord(value: unknown): BenchRecord | undefined {
  const read = Record.safeParse(value);
  if (!read.success) return undefined;
  return { ...recordOf("json", read.data), samples_s: read.data.samples_ns?.map((ns) => ns / 1e9) };
}

/** Reads the cells of a row of `-o csv` or `-o sql`; undefined when they do not fit their names. */
export function rowRecord(format: "csv" | "sql", names: readonly string[], cells: readonly string[]): BenchRecord | undefined {
  if (names.length !== cells.length) return undefined;
  const entries = names.map((name, k) => [name, cells[k]!] as const).filter(([, cell]) => cell !== "");
  const read = Row.safeParse(Object.fromEntries(entries));
  return read.success ? recordOf(format, read.data) : undefined;
}

function recordOf(format: BenchRecord["format"], { n_prompt, n_gen, n_depth, avg_ns, model_filename }: z.infer<typeof Row>): BenchRecord {
  const counts = { promptTokens: n_prompt, outputTokens: n_gen, depth: n_depth };
  return { format, ...counts, model: model_filename, samples_s: undefined, mean_s: avg_ns / 1e9 };
}

const TEST = /^(?:pp(\d+))?\+?(?:tg(\d+))?(?: @ d(\d+))?$/;

/** Reads a row of `-o md`, by the names of its header; undefined when it is none. */
export function tableRecord(names: readonly string[], cells: readonly string[]): BenchRecord | undefined {
  const [, prompt, generation, depth] = TEST.exec(cells[names.indexOf("test")] ?? "") ?? [];
  if (names.length !== cells.length || (prompt === undefined && generation === undefined)) return undefined;
  const counts = { promptTokens: Number(prompt ?? 0), outputTokens: Number(generation ?? 0), depth: Number(depth ?? 0) };
  return { format: "md", ...counts, samples_s: undefined, mean_s: undefined };
}

/** The cells of a row of Markdown; undefined when the line is none. */
export function tableCells(line: string): readonly string[] | undefined {
  const text = line.trim();
  if (!text.startsWith("|") || !text.endsWith("|") || text.length < 3) return undefined;
  return text
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());
}

/**
 * The cells of a line that separates them by commas.
 *
 * A cell may stand in quotes, and then hold commas; a quote inside is doubled (RFC 4180 with `"`, SQL with `'`).
 *
 * @returns undefined when a quote is not closed
 */
export function quotedCells(line: string, quote: '"' | "'"): readonly string[] | undefined {
  const cells: string[] = [];
  let at = 0;
  while (at <= line.length) {
    while (line[at] === " ") at++;
    let cell = "";
    if (line[at] === quote) {
      for (at++; line[at] !== quote || line[at + 1] === quote; at++) {
        if (at >= line.length) return undefined;
        if (line[at] === quote) at++;
        cell += line[at];
      }
      at++;
    } else {
      const end = line.indexOf(",", at);
      cell = line.slice(at, end < 0 ? line.length : end).trim();
      at = end < 0 ? line.length : end;
    }
    cells.push(cell);
    while (line[at] === " ") at++;
    if (at < line.length && line[at] !== ",") return undefined;
    at++;
  }
  return cells;
}
