import { z } from "zod";
import type { Outcome } from "../model/event.ts";
import type { EventParser, EventParserKind, LoggedEvent } from "../model/parser.ts";
import { parseJson } from "./json-text.ts";
import { LlamaRun } from "./llama-run.ts";
import { logLine, perfLine } from "./perf-lines.ts";
import { type Begun, endedBadly, parseStatement } from "./statement.ts";

/** A month: what is later was not stamped. */
const MOST_US = 31 * 86_400e6;
/** A line of `--log-jsonl`; `time` is in microseconds since the log began. */
const Logged = z.looseObject({ type: z.literal("log"), time: z.number().nonnegative().max(MOST_US), level: z.string(), msg: z.string() });

const GENERATE = /^(?:llama_completion|main|generate)\b.*: n_ctx = \d+, n_batch = \d+, n_predict = -?\d+/;
const LOAD_START = /^(?:llama_completion|main): load the model/;
const LOAD_END = /^(?:\w+ +)?(?:system_info|init: llama threadpool init)/;
/** The chat of llama-cli: after each answer the two rates, and no count. */
const RATES = /^\s*\[ Prompt: (\S+) t\/s \| Generation: (\S+) t\/s \]\s*$/;
const LOG_TEXT =
  /^(?:llama\w*|ggml\w*|common_\w+|cmn|srv|main|build|load\w*|print_info|system_info|sampler|generate|init\w*|sched_\w+|resolve_\w+|set_\w+)\b.*[:=]/;

/** Its sampler's parameters, one indented line each, and the dots that show how loading goes on. */
const MORE = /^\s*(?:\w+ = [-\d.]+(?:, |$)|\.+$)/;
const UNREAD = /\b(?:sampling|prompt eval|eval|load|total) time\s*=|\d t\/s/;

/**
 * Reads llama-completion (formerly main and llama-cli): its log as JSON (`--log-jsonl`), its log as text, or only the summary
 * it prints at the end (`--perf`), of any generation.
 *
 * With `--log-jsonl` every token is a line with the time of the engine's own log, so the events are on the clock `log`. The
 * prompt's echo looks the same; the summary's count (`N runs`, and the token sampled in the prefill) tells them apart, so
 * the tokens come when the summary does. A log as text gives the beginning (`generate:`) and the end on that clock, and
 * totals between; a summary without times is placed by its arrival on the host's clock ({@link LlamaRun}).
 */
class LlamaCompletionParser implements EventParser {
  readonly #readsRates: boolean;
  #run = new LlamaRun(undefined, 0);
  #begun: Begun | undefined;
  /** The driver loads for itself; later each process has a load of its own, which only its log tells of. */
  #loadIsStated = false;
  #log = 0;
  #latest_s = 0;
  #runs = 0;

  constructor(readsRates: boolean) {
    this.#readsRates = readsRates;
  }

  push(line: string, host_ns: number): readonly LoggedEvent[] | undefined {
    const arrival_s = host_ns / 1e9;
    if (/^\s*\{"/.test(line)) return this.#json(line, arrival_s);
    const { text, at_s } = logLine(line);
    const read = this.#text(text, at_s, arrival_s);
    if (read) return read;
    // Between the log's lines stands the text the model writes: it is the engine's, unless it looks like a summary unread.
    if (UNREAD.test(text)) return undefined;
    const isOutput = this.#begun !== undefined && this.#begun.kind !== "bench";
    return isOutput || at_s !== undefined || MORE.test(text) || text.trim() === "" || LOG_TEXT.test(text.trim()) ? [] : undefined;
  }

  sent(line: string, host_ns: number): readonly LoggedEvent[] {
    const statement = parseStatement(line, host_ns);
    if (!statement) return [];
    if (statement.type === "load") {
      this.#loadIsStated = statement.event.type === "load_start";
      return [statement.event];
    }
    if (statement.type === "begin") return this.#begin(statement.begun);
    return this.#begun?.request === statement.request ? this.#end(statement.outcome, statement.at_s) : [];
  }

  end(): readonly LoggedEvent[] {
    return this.#begun ? this.#run.abandon() : [];
  }

  #begin(begun: Begun): readonly LoggedEvent[] {
    const before = this.end();
    if (begun.kind === "process") this.#nextLog();
    this.#begun = begun;
    this.#run = new LlamaRun(begun, this.#log);
    return before;
  }

  #end(outcome: Outcome, at_s: number): readonly LoggedEvent[] {
    const begun = this.#begun;
    this.#begun = undefined;
    if (!begun) return [];
    const events = this.#run.isStarted ? this.#run.die(outcome, this.#latest_s) : outcome === "ok" ? [] : endedBadly(begun, outcome, at_s);
    this.#run = new LlamaRun(undefined, this.#log);
    return events;
  }

  #json(line: string, arrival_s: number): readonly LoggedEvent[] | undefined {
    const value = parseJson(line);
    if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
    if (value.type !== "log") return [];
    const logged = Logged.safeParse(value);
    if (!logged.success) return undefined;
    const { time, level, msg } = logged.data;
    const at_s = time / 1e6;
    if (level !== "none") return this.#text(msg.trimEnd(), at_s, arrival_s) ?? [];
    const lost = this.#follow(at_s);
    this.#run.output({ at_s, text: msg });
    return lost;
  }

  /** @param at_s the time of the log, where the line has one */
  #text(text: string, at_s: number | undefined, arrival_s: number): readonly LoggedEvent[] | undefined {
    const lost = at_s === undefined ? [] : this.#follow(at_s);
    const read = this.#read(text, at_s, arrival_s);
    return lost.length > 0 ? [...lost, ...(read ?? [])] : read;
  }

  #read(text: string, at_s: number | undefined, arrival_s: number): readonly LoggedEvent[] | undefined {
    const perf = perfLine(text);
    if (perf) return this.#finish(this.#run.perf(perf, at_s, arrival_s));
    if (GENERATE.test(text)) return this.#run.generate(at_s, arrival_s);
    const rates = this.#readsRates ? RATES.exec(text) : undefined;
    if (rates) return this.#finish(this.#run.rates([Number(rates[1]), Number(rates[2])], arrival_s));
    if (at_s === undefined || this.#loadIsStated) return undefined;
    if (LOAD_START.test(text)) return this.#run.load("load_start", at_s);
    return LOAD_END.test(text) ? this.#run.load("load_end", at_s) : undefined;
  }

  /** The summary is whole: the next lines belong to another run. */
  #finish(events: readonly LoggedEvent[] | undefined): readonly LoggedEvent[] {
    if (!events) return [];
    this.#run = new LlamaRun(undefined, this.#log, ++this.#runs);
    this.#begun = undefined;
    return events;
  }

  /** A log that begins anew is the next of the session. @returns what is left of the run that the one before told of */
  #follow(at_s: number): readonly LoggedEvent[] {
    const isNext = at_s < this.#latest_s / 2;
    const lost = isNext && this.#run.isStarted ? this.#run.abandon() : [];
    if (isNext) {
      this.#nextLog();
      this.#run = new LlamaRun(this.#begun, this.#log, this.#runs);
    }
    this.#latest_s = at_s;
    return lost;
  }

  #nextLog(): void {
    if (this.#latest_s > 0) this.#log++;
    this.#latest_s = 0;
  }
}

export const llamaCompletion: EventParserKind = {
  kind: "llama-completion",
  summary: "llama-completion, or llama-cli before 2026: its log as JSON or text, or its summary alone",
  open: () => new LlamaCompletionParser(false),
};

export const llamaCli: EventParserKind = {
  kind: "llama-cli",
  summary: "llama-cli, the chat: two rates after each answer, no counts",
  open: () => new LlamaCompletionParser(true),
};
