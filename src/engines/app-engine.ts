import { z } from "zod";
import type { Engine, EngineAnswer, EngineContext, EngineRequest } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";
import { OUTCOMES } from "../model/event.ts";
import type { Line } from "../model/transport.ts";
import { ending, judge, lastWords } from "./failure.ts";
import { Feed } from "./feed.ts";
import { FileSource, LogcatSource, OutputSource } from "./feed-sources.ts";
import { givenUp, type Patience, patience, within } from "./patience.ts";
import { fill } from "./placeholders.ts";
import { query } from "./process-run.ts";
import { stateBegin, stateEnd, stateLoad, stateNeverUp } from "./statements.ts";

/** How long the commands that stop the app or ask after it may take. */
const SMALL_COMMAND_S = 30;

interface Options {
  readonly start?: readonly string[] | undefined;
  readonly request?: readonly string[] | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly alive?: readonly string[] | undefined;
  readonly events: { readonly file: string; readonly prefix: readonly string[] } | { readonly logcat: string } | "output";
  readonly ready: "started" | "load_end";
  readonly load_s: number;
}

/** Of an event, what tells that something is over. */
const Heard = z.looseObject({
  type: z.string(),
  request: z.string().optional(),
  outcome: z.enum(OUTCOMES).optional(),
  text: z.string().optional(),
});
type Heard = z.infer<typeof Heard>;

export class App implements Engine {
  readonly #options: Options;
  readonly #context: EngineContext;
  #feed: Feed | undefined;
  /** It was asked after and was not there. */
  #isGone = false;
  /** Looks at each event; set while somebody waits for one. */
  #watch: (event: Heard) => void = () => {};

  constructor(options: Options, context: EngineContext) {
    this.#options = options;
    this.#context = context;
  }

  load(): Promise<EngineAnswer> {
    const { start, ready, load_s, events } = this.#options;
    return stateLoad(this.#context, start?.join(" ") ?? "app", async () => {
      const limit = patience(this.#context, load_s);
      this.#feed ??= new Feed(this.#context, await this.#source(limit), (line) => this.#hear(line));
      this.#isGone = false;
      const begin = events === "output" ? undefined : start;
      return this.#until(limit, begin, (event) => ready === "started" || event.type === "load_end", ready === "started");
    });
  }

  async ask(request: EngineRequest): Promise<EngineAnswer> {
    const template = this.#options.request;
    const argv = template && fill(template, request, "app");
    const isNamed = template?.some((element) => element.includes("{request}")) ?? false;
    const failed = this.#hasDied ? await this.load() : undefined;
    if (failed && failed.outcome !== "ok") return stateNeverUp(this.#context, request, "process", failed);
    const limit = patience(this.#context, request.limit_s);
    stateBegin(this.#context, request, "process", argv ? { argv } : {});
    const isEnd = (event: Heard): boolean => event.type === "request_end" && (!isNamed || event.request === request.id);
    return stateEnd(this.#context, request, await this.#until(limit, argv, isEnd));
  }

  async close(): Promise<void> {
    const { stop } = this.#options;
    const undying = { ...this.#context, signal: new AbortController().signal };
    try {
      if (stop) await this.#stop(stop, undying);
    } finally {
      await this.#feed?.close();
    }
  }

  /** One that prints its events ends with them; of any other only `alive` tells. */
  get #hasDied(): boolean {
    return this.#options.events === "output" ? this.#feed !== undefined && !this.#feed.isOpen : this.#isGone;
  }

  async #stop(stop: readonly string[], context: EngineContext): Promise<void> {
    const { code, complaint, output } = await query(context, stop, patience(context, SMALL_COMMAND_S));
    if (code === 0) return;
    const how = code === undefined ? `did not end within ${SMALL_COMMAND_S} s` : ending(code);
    const said = lastWords(complaint || output);
    throw new JoulebenchError(
      "config",
      stop[0]!,
      `the command that stops the app ${how}${said && `: ${said}`}; the app may still run there`,
    );
  }

  async #source(limit: Patience): Promise<FileSource | LogcatSource | OutputSource> {
    const { events, start = [] } = this.#options;
    if (events === "output") return new OutputSource(start);
    if ("file" in events) return new FileSource(events.file, events.prefix);
    const { output } = await query(this.#context, ["date", "+%s"], limit);
    return new LogcatSource(events.logcat, `${output.trim()}.000`);
  }

  /** Runs `argv`, if there is one, and waits for an event that `isEnd`; or only runs it. */
  async #until(
    limit: Patience,
    argv: readonly string[] | undefined,
    isEnd: (event: Heard) => boolean,
    onlyRun = false,
  ): Promise<EngineAnswer> {
    const { promise: over, resolve: finish } = deferred<Heard>();
    this.#watch = (event) => {
      if (isEnd(event)) finish(event);
    };
    try {
      const feed = await this.#feed?.open();
      if (argv) {
        const { code, complaint, output } = await query(this.#context, argv, limit);
        if (code === undefined) return givenUp(limit, "");
        if (code !== 0) return judge(code, complaint || output, "");
      }
      if (onlyRun) return { outcome: "ok", text: "" };
      const first = await within(Promise.race([over, feed ? feed.over.then((broken) => ({ broken })) : over]), limit);
      if (!first) return await this.#late(limit);
      if ("broken" in first) return this.#broken(first.broken);
      const { outcome = "ok", text = "" } = first as Heard;
      return { outcome, text, ...(outcome === "ok" ? {} : { detail: "by its own word" }) };
    } finally {
      this.#watch = () => {};
    }
  }

  /** The end of an app that prints its events is an answer; that of a reader of its log is an error. */
  #broken(error: unknown): EngineAnswer {
    const isApp = this.#options.events === "output" && error instanceof Error && "kind" in error && error.kind === "config";
    if (!isApp) throw error;
    return { ...judge(null, error.message, ""), detail: error.message };
  }

  async #late(limit: Patience): Promise<EngineAnswer> {
    const answer = givenUp(limit, "");
    const { alive } = this.#options;
    if (!alive || this.#context.signal.aborted) return answer;
    const { code } = await query(this.#context, alive, patience(this.#context, SMALL_COMMAND_S));
    this.#isGone = code !== 0;
    return code === 0 ? answer : { outcome: "crash", text: "", detail: `the app is gone; ${answer.detail}` };
  }

  #hear({ text, host_ns }: Line): void {
    if (!text) return;
    this.#context.hear(text, host_ns);
    const event = read(text);
    if (event) this.#watch(event);
  }
}

function read(text: string): Heard | undefined {
  try {
    return Heard.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
