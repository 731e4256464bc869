import type { LoggedEvent } from "../model/parser.ts";
import { Anchor } from "./anchor.ts";
import type { Timings } from "./llama-timings.ts";
import { type LogLine, logLine, perfLine } from "./perf-lines.ts";
import { eventsOf, given } from "./request-record.ts";

const SLOT = /^\s*slot\s+(\w+):?\s*(?:id\s+(-?\d+) \| task (-?\d+) \|)?/;
const LOAD = /^\s*(?:srv\s+)?(\w+): (?:loading model(?: '(.*)')?|(model loaded))\s*$/;
const OTHER = /^\s*(?:slot|srv|cmn|que|res|main|system_info|build|llama_\w+|ggml_\w+|print_info|load\w*|common_\w+|set_\w+)\b.*[:|=]/;
/** A server has few slots; tasks beyond were never released. */
const MOST_TASKS = 64;

/** One task of a slot while it runs. */
interface Task {
  readonly launched: Instant;
  printed?: Instant;
  prompt?: { readonly tokens: number; readonly duration_s: number };
  eval?: { readonly tokens: number; readonly duration_s: number };
}

/** On the log's clock where lines are stamped, else on the host's. */
interface Instant {
  readonly at_s: number;
  readonly clock: "log" | "host";
}

/**
 * llama-server's own log: `launch_slot_` begins a task, `print_timing` gives its totals, `release` ends it.
 *
 * With the prefix `M.SS.mmm.uuu` times are on the clock `log`, without it they are arrivals.
 */
export class LlamaServerLog {
  /** Requests are told of by others: tasks give no events, only {@link totals}. */
  isBeside = false;
  /** Loads are told of by the driver. */
  loadsAreStated = false;
  /** What the log last said of a task, whole. */
  totals: Timings | undefined;
  readonly #tasks = new Map<string, Task>();
  #printing: Task | undefined;
  #log = 0;
  #latest_s = 0;

  /** @returns undefined when it is no line of the server's log */
  push(line: string, arrival_s: number): readonly LoggedEvent[] | undefined {
    const logged = logLine(line);
    const lost = this.#follow(logged);
    const here: Instant = logged.at_s === undefined ? { at_s: arrival_s, clock: "host" } : { at_s: logged.at_s, clock: "log" };
    const events = this.#read(logged, here);
    return lost.length > 0 ? [...lost, ...(events ?? [])] : events;
  }

  #read(logged: LogLine, here: Instant): readonly LoggedEvent[] | undefined {
    const [, what, , id] = SLOT.exec(logged.text) ?? [];
    if (what === "launch_slot_" && id !== undefined) return this.#launch(id, here);
    if (what === "print_timing" && id !== undefined) this.#printing = this.#tasks.get(id) ?? this.#launchLate(id, here);
    const perf = perfLine(logged.text);
    if (perf) {
      if (perf.stage === "prompt" || perf.stage === "eval")
        this.#print(perf.stage, { tokens: perf.count, duration_s: perf.duration_s }, here);
      return [];
    }
    if (/\b(?:eval|total) time\b/.test(logged.text)) return undefined;
    if (what === "release" && id !== undefined) return this.#release(id, here);
    const load = LOAD.exec(logged.text);
    if (load) return this.#load(load[3] ? "load_end" : "load_start", load[2], here);
    return what !== undefined || logged.at_s !== undefined || OTHER.test(logged.text) ? [] : undefined;
  }

  /** Tasks that were never released. */
  end(): readonly LoggedEvent[] {
    const tasks = [...this.#tasks];
    this.#tasks.clear();
    return this.isBeside ? [] : tasks.flatMap(([id, task]) => this.#events(id, task, undefined));
  }

  /** A log that begins anew has other times: it is the next of the session. @returns what the one before left open */
  #follow({ at_s }: LogLine): readonly LoggedEvent[] {
    if (at_s === undefined) return [];
    const isNext = at_s < this.#latest_s / 2;
    this.#latest_s = at_s;
    if (!isNext) return [];
    const lost = this.end();
    this.#log++;
    return lost;
  }

  #launch(id: string, launched: Instant): readonly LoggedEvent[] {
    const oldest = this.#tasks.size >= MOST_TASKS ? this.#tasks.keys().next().value : undefined;
    if (oldest !== undefined) this.#tasks.delete(oldest);
    this.#tasks.set(id, { launched });
    return [];
  }

  /** The log was read from its middle on. */
  #launchLate(id: string, printed: Instant): Task {
    const task = { launched: { ...printed, at_s: Number.NEGATIVE_INFINITY } };
    this.#tasks.set(id, task);
    return task;
  }

  #print(stage: "prompt" | "eval", { tokens, duration_s }: { tokens: number | undefined; duration_s: number }, here: Instant): void {
    const task = this.#printing;
    if (!task || tokens === undefined) return;
    task[stage] = { tokens, duration_s };
    task.printed ??= here;
    if (!task.prompt || !task.eval) return;
    this.totals = {
      prompt_n: task.prompt.tokens,
      prompt_ms: task.prompt.duration_s * 1e3,
      predicted_n: task.eval.tokens,
      predicted_ms: task.eval.duration_s * 1e3,
    };
  }

  #release(id: string, here: Instant): readonly LoggedEvent[] {
    const task = this.#tasks.get(id);
    this.#tasks.delete(id);
    return task && !this.isBeside ? this.#events(id, task, here) : [];
  }

  #events(id: string, task: Task, released: Instant | undefined): readonly LoggedEvent[] {
    const { launched, printed, prompt, eval: output } = task;
    const anchor = new Anchor(launched.at_s);
    const worked_s = (prompt?.duration_s ?? 0) + (output?.duration_s ?? 0);
    if (printed) anchor.hear(printed.at_s, worked_s);
    if (released) anchor.hear(released.at_s, worked_s);
    const cancelled_s = released && anchor.start_s !== undefined ? released.at_s - anchor.start_s : undefined;
    return eventsOf({
      request: `task ${id}`,
      anchor,
      clock: launched.clock,
      log: launched.clock === "log" ? this.#log : undefined,
      prefill_s: output && output.tokens > 0 ? prompt?.duration_s : undefined,
      promptTokens: prompt?.tokens,
      later: [],
      outputTokens: output?.tokens,
      end_s: output ? worked_s : cancelled_s,
    });
  }

  #load(type: "load_start" | "load_end", model: string | undefined, { at_s, clock }: Instant): readonly LoggedEvent[] {
    if (this.loadsAreStated) return [];
    const log = clock === "log" ? this.#log : undefined;
    return [{ type, request: "", tick: at_s, clock, ...given({ log, model }) }];
  }
}
