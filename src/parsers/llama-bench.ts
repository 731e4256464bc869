import type { EventParser, EventParserKind, LoggedEvent } from "../model/parser.ts";
import { JsonDocuments } from "./json-text.ts";
import { type BenchRecord, jsonRecord, quotedCells, rowRecord, tableCells, tableRecord } from "./llama-bench-records.ts";
import { type Asked, type BenchTest, type Mark, unitsOf } from "./llama-bench-runs.ts";
import { type Begun, endedBadly, parseStatement } from "./statement.ts";

const PROGRESS = /^llama-bench: benchmark (\d+)\/(\d+): (.*)$/;
const RUN = /^(prompt|generation|depth) run (\d+)\/(\d+)/;
const SQL = /^INSERT INTO \w+ \((.*)\) VALUES \((.*)\);\s*$/;
const HARMLESS = /^\s*$|^build: |^(?:ggml|llama|load|common|register|warning:)\w*|^CREATE TABLE |^ {2}\w+ (?:TEXT|INTEGER|REAL),?$|^\);$/;
/** Of more progress lines and tests in one benchmark the first are kept. */
const MOST_MARKS = 100_000;
const MOST_TESTS = 10_000;
/** What llama-bench does unless told otherwise. */
const REPETITIONS = 5;
/** The formats, those that know most first: only JSON has samples, and the table has not even a mean. */
const KNOWS: readonly BenchRecord["format"][] = ["json", "csv", "sql", "md"];

/**
 * Reads llama-bench: its records in any format (`-o json|jsonl|csv|sql|md`, `-oe` beside) and its `--progress`.
 *
 * Every test gives unit windows of prompt or output tokens on the host's clock, when the benchmark has ended
 * ({@link unitsOf}). llama-bench stamps nothing but whole seconds, so the durations are its own and the places are
 * arrivals. Warm-up runs and the filling of the context to a depth are in no sample and in no window.
 */
class LlamaBenchParser implements EventParser {
  readonly #documents = new JsonDocuments();
  #names: { readonly format: "csv" | "md"; readonly cells: readonly string[] } | undefined;
  #begun: Begun | undefined;
  #marks = 0;
  /** Marks of each test by its number, from 0: progress and records may overtake each other. */
  #marked = new Map<number, Mark[]>();
  #tests: Omit<BenchTest, "marks">[] = [];
  /** Tests that are told of, by format: a second format tells the same tests again. */
  #told = new Map<BenchRecord["format"], number>();

  push(line: string, host_ns: number): readonly LoggedEvent[] | undefined {
    const at_s = host_ns / 1e9;
    const progress = PROGRESS.exec(line);
    if (progress) return this.#progress(Number(progress[1]) - 1, progress[3]!, at_s);
    const row = this.#names && this.#row(line, at_s);
    if (row) return row;
    const sql = SQL.exec(line);
    if (sql) return this.#record(sqlRecord(sql[1]!, sql[2]!), at_s);
    if (/^\|/.test(line)) return this.#table(line, at_s);
    if (/^build_commit,|^[a-z_]+,.*\bn_prompt,n_gen\b/.test(line)) return this.#header(line);
    const values = this.#documents.push(line);
    if (values) return this.#values(values, at_s);
    return HARMLESS.test(line) ? [] : undefined;
  }

  sent(line: string, host_ns: number): readonly LoggedEvent[] {
    const statement = parseStatement(line, host_ns);
    if (!statement) return [];
    if (statement.type === "load") return [statement.event];
    const before = this.end();
    if (statement.type === "begin") {
      this.#begun = statement.begun;
      return before;
    }
    const begun = this.#begun?.request === statement.request ? this.#begun : undefined;
    this.#begun = undefined;
    return begun && statement.outcome !== "ok" ? [...before, ...endedBadly(begun, statement.outcome, statement.at_s)] : before;
  }

  end(): readonly LoggedEvent[] {
    const tests = this.#tests.map((test, k) => ({ ...test, marks: this.#marked.get(k) ?? [] }));
    this.#tests = [];
    this.#marked = new Map();
    this.#told = new Map();
    this.#marks = 0;
    this.#names = undefined;
    return unitsOf(tests, this.#asked());
  }

  #progress(test: number, text: string, at_s: number): readonly LoggedEvent[] | undefined {
    // A benchmark that nobody announced follows another.
    if (text === "starting") return test === 0 && this.#tests.length > 0 ? this.end() : [];
    const [, what, run, runs] = RUN.exec(text) ?? [];
    if (what === undefined) return text.startsWith("warmup ") ? [] : undefined;
    const mark = { what: what as Mark["what"], run: Number(run) - 1, runs: Number(runs), at_s };
    if (mark.run < 0 || mark.run >= mark.runs || ++this.#marks > MOST_MARKS) return undefined;
    const marked = this.#marked.get(test) ?? [];
    marked.push(mark);
    this.#marked.set(test, marked);
    return [];
  }

  #values(values: readonly unknown[], at_s: number): readonly LoggedEvent[] | undefined {
    const read = values.map((value) => this.#record(jsonRecord(value), at_s));
    return read.length > 0 && read.every((events) => events === undefined) ? undefined : read.flatMap((events) => events ?? []);
  }

  #header(line: string): readonly LoggedEvent[] | undefined {
    const cells = quotedCells(line, '"');
    if (cells) this.#names = { format: "csv", cells };
    return cells && [];
  }

  #row(line: string, at_s: number): readonly LoggedEvent[] | undefined {
    if (this.#names?.format !== "csv" || !line.startsWith('"')) return undefined;
    const cells = quotedCells(line, '"');
    return cells && this.#record(rowRecord("csv", this.#names.cells, cells), at_s);
  }

  #table(line: string, at_s: number): readonly LoggedEvent[] | undefined {
    const cells = tableCells(line);
    if (!cells) return undefined;
    if (cells.includes("test") && cells.includes("t/s")) {
      this.#names = { format: "md", cells };
      return [];
    }
    if (cells.every((cell) => /^:?-+:?$/.test(cell))) return [];
    return this.#names?.format === "md" ? this.#record(tableRecord(this.#names.cells, cells), at_s) : undefined;
  }

  /** A test has ended; another format may have told of it already, with or without the samples. */
  #record(record: BenchRecord | undefined, at_s: number): readonly LoggedEvent[] | undefined {
    const index = (record && this.#told.get(record.format)) ?? 0;
    if (!record || index >= MOST_TESTS) return undefined;
    this.#told.set(record.format, index + 1);
    const known = this.#tests[index];
    if (!known) this.#tests.push({ record, heard_s: at_s });
    else if (KNOWS.indexOf(record.format) < KNOWS.indexOf(known.record.format)) this.#tests[index] = { ...known, record };
    return [];
  }

  #asked(): Asked {
    const begun = this.#begun;
    if (!begun) return { begun_s: Number.NEGATIVE_INFINITY, repetitions: undefined, name: undefined };
    const at = begun.argv.findIndex((word) => word === "-r" || word === "--repetitions");
    const asked = at < 0 ? REPETITIONS : Number(begun.argv[at + 1]);
    const repetitions = begun.argv.length > 0 && Number.isSafeInteger(asked) && asked > 0 ? asked : undefined;
    return { begun_s: begun.at_s, repetitions, name: begun.request };
  }
}

function sqlRecord(names: string, values: string): BenchRecord | undefined {
  const cells = quotedCells(values, "'");
  return cells && rowRecord("sql", names.split(", "), cells);
}

export const llamaBench: EventParserKind = {
  kind: "llama-bench",
  summary: "llama-bench: its records in any format, and its progress",
  open: () => new LlamaBenchParser(),
};
