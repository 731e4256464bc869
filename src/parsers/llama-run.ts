import type { Outcome } from "../model/event.ts";
import type { LoggedEvent } from "../model/parser.ts";
import { Anchor } from "./anchor.ts";
import { type OutputLine, OutputLines } from "./llama-output.ts";
import type { PerfLine } from "./perf-lines.ts";
import { eventsOf, given } from "./request-record.ts";
import type { Begun } from "./statement.ts";

/** The summary of a run, as far as its lines have come. */
type Summary = Partial<Record<PerfLine["stage"], PerfLine>>;

/** What one run of llama-completion has printed so far. */
export class LlamaRun {
  readonly #begun: Begun | undefined;
  readonly #log: number;
  readonly #name: string;
  readonly #lines = new OutputLines();
  #isLoading = false;
  /** When it began to generate: by the log, or by the arrival of the line that says so. */
  #start_s: number | undefined;
  #generate_s: number | undefined;
  #firstLine_s: number | undefined;
  #summary: Summary = {};
  /** When the summary began, by the log, and when it arrived. */
  #printed_s: number | undefined;
  #heard_s = 0;

  /** @param index which run of this channel it is, from 0; it names a run that nobody named */
  constructor(begun: Begun | undefined, log: number, index = 0) {
    this.#begun = begun;
    this.#log = log;
    this.#name = begun?.request ?? `run ${index + 1}`;
  }

  /** Its beginning was told, on the clock `log`. */
  get isStarted(): boolean {
    return this.#start_s !== undefined;
  }

  load(type: "load_start" | "load_end", at_s: number): readonly LoggedEvent[] {
    if ((type === "load_end") !== this.#isLoading) return [];
    this.#isLoading = type === "load_start";
    return [{ type, request: "", tick: at_s, clock: "log", log: this.#log }];
  }

  generate(at_s: number | undefined, arrival_s: number): readonly LoggedEvent[] {
    this.#lines.clear();
    this.#firstLine_s = undefined;
    this.#generate_s = arrival_s;
    if (at_s === undefined || this.isStarted) return [];
    this.#start_s = at_s;
    return [{ ...this.#onLog, type: "request_start", tick: at_s }];
  }

  output(line: OutputLine): void {
    this.#firstLine_s ??= line.at_s;
    this.#lines.push(line);
  }

  /** @returns the events of the run when this line makes its summary whole */
  perf(line: PerfLine, at_s: number | undefined, arrival_s: number): readonly LoggedEvent[] | undefined {
    if (this.#summary[line.stage]) this.#summary = {};
    if (Object.keys(this.#summary).length === 0) {
      this.#printed_s = at_s;
      this.#heard_s = arrival_s;
    }
    this.#summary[line.stage] = line;
    return line.stage === "total" ? this.#complete(arrival_s) : undefined;
  }

  #complete(arrival_s: number): readonly LoggedEvent[] | undefined {
    const { prompt, eval: runs, sampling, total } = this.#summary;
    if (prompt?.count === undefined || runs?.count === undefined || !total) return undefined;
    const counts = countsOf(prompt, runs);
    // A process works for nobody else, so that its total is work; without one it may have waited for its user.
    const worked_s = prompt.duration_s + runs.duration_s + (sampling?.duration_s ?? 0);
    const busy_s = this.#begun?.kind === "process" ? Math.max(worked_s, total.duration_s) : worked_s;
    const tokens = this.#firstLine_s === undefined ? [] : this.#lines.take(counts.output);
    const started_s = this.#start_s ?? this.#firstLine_s ?? (this.#printed_s === undefined ? undefined : this.#printed_s - busy_s);
    if (started_s === undefined) return this.#byArrival(arrival_s, { ...counts, prefill_s: prompt.duration_s, busy_s });
    const end_s = Math.max(started_s, this.#printed_s ?? started_s + busy_s);
    const [first_s, ...later] = tokens.length > 0 ? tokens.map(({ at_s }) => at_s) : [Math.min(started_s + prompt.duration_s, end_s)];
    return [
      ...(this.isStarted ? [] : [{ ...this.#onLog, type: "request_start" as const, tick: started_s }]),
      { ...this.#onLog, type: "first_token", tick: first_s!, tokens: counts.prompt },
      ...later.map((tick) => ({ ...this.#onLog, type: "token" as const, tick, tokens: 1 })),
      { ...this.#onLog, type: "request_end", tick: end_s, outputTokens: counts.output },
    ];
  }

  #byArrival(arrival_s: number, told: { prompt: number; output: number; prefill_s: number; busy_s: number }): readonly LoggedEvent[] {
    const anchor = new Anchor(this.#begun?.at_s);
    if (this.#generate_s !== undefined) anchor.hear(this.#generate_s, 0);
    anchor.hear(this.#heard_s || arrival_s, told.busy_s);
    return this.#onHost(anchor, told);
  }

  #onHost(anchor: Anchor, told: { prompt: number; output: number; prefill_s: number; busy_s: number }): readonly LoggedEvent[] {
    return eventsOf({
      request: this.#name,
      anchor,
      clock: "host",
      prefill_s: told.prefill_s,
      promptTokens: told.prompt,
      later: [],
      outputTokens: told.output,
      end_s: told.busy_s,
    });
  }

  /** The two rates of the chat: with counts from whoever asked they are durations. */
  rates([prompt, generation]: readonly [number, number], arrival_s: number): readonly LoggedEvent[] {
    const begun = this.#begun;
    if (!begun) return [];
    const output = begun.argv.includes("--ignore-eos") ? begun.outputTokens : undefined;
    const prefill_s = (begun.promptTokens ?? Number.NaN) / prompt;
    const busy_s = prefill_s + Math.max(0, (output ?? Number.NaN) - 1) / generation;
    if (output !== undefined && Number.isFinite(busy_s)) {
      const anchor = new Anchor(begun.at_s);
      anchor.hear(arrival_s, busy_s);
      return this.#onHost(anchor, { prompt: begun.promptTokens ?? 0, output, prefill_s, busy_s });
    }
    const shared = { request: this.#name, clock: "host" } as const;
    return [
      { ...shared, type: "request_start", tick: begun.at_s },
      { ...shared, type: "request_end", tick: Math.max(begun.at_s, arrival_s), ...given({ outputTokens: output }) },
    ];
  }

  /** It ended without a summary, at the latest time of its log; what it had put out is known where the prompt was not shown. */
  die(outcome: Outcome, latest_s: number): readonly LoggedEvent[] {
    const how = outcome === "ok" ? undefined : outcome;
    return [...this.#shown(), { ...this.#onLog, type: "request_end", tick: latest_s, ...given({ outcome: how }) }];
  }

  /** Nobody says how it ended. */
  abandon(): readonly LoggedEvent[] {
    if (this.isStarted) return this.#shown();
    const begun = this.#begun;
    return begun ? [{ request: this.#name, clock: "host", type: "request_start", tick: begun.at_s }] : [];
  }

  #shown(): readonly LoggedEvent[] {
    if (!this.#begun?.argv.some((word) => word === "--no-display-prompt")) return [];
    const [first, ...later] = this.#lines.take(undefined);
    if (!first) return [];
    const counts = given({ tokens: this.#begun.promptTokens });
    return [
      { ...this.#onLog, type: "first_token", tick: first.at_s, ...counts },
      ...later.map(({ at_s }) => ({ ...this.#onLog, type: "token" as const, tick: at_s, tokens: 1 })),
    ];
  }

  get #onLog() {
    return { request: this.#name, clock: "log", log: this.#log } as const;
  }
}

/**
 * Prompt and output tokens by the summary.
 *
 * The first output token is sampled in the prefill, so the output is one more than the runs. Neither count is ever printed as
 * 0: no run at all says `0.00 ms / 1 runs`, and a prompt of one token is a run while its own line says `0.00 ms / 1 tokens`.
 */
function countsOf(prompt: PerfLine, runs: PerfLine): { prompt: number; output: number } {
  const [prompted = 0, ran = 0] = [prompt.count, runs.count];
  if (prompted <= 1 && prompt.duration_s === 0) return { prompt: 1, output: ran };
  return { prompt: prompted, output: ran <= 1 && runs.duration_s === 0 ? 1 : ran + 1 };
}
