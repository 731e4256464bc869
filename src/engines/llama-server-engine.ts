import type { Engine, EngineAnswer, EngineContext, EngineRequest } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Forward } from "../model/transport.ts";
import { isKilled, judge, lastWords, modelProblem, mustStart, refusal } from "./failure.ts";
import { bodyLines } from "./http-lines.ts";
import { AnswerLines, type Call, type CallOptions, callFor, errorWords } from "./llama-server-call.ts";
import { givenUp, type Patience, patience, pause, within } from "./patience.ts";
import { ServerProcess } from "./server-process.ts";
import { stateBegin, stateEnd, stateLoad, stateNeverUp } from "./statements.ts";

/** Between two questions whether it is ready; each costs the device some of its time. */
const HEALTH_EVERY_MS = 100;
/** How long a small answer (`/health`, `/metrics`) may take. */
const SMALL_ANSWER_S = 5;
/** How long to wait for the news that the server has died once its connection broke. */
const NEWS_S = 3;
/** The HTTP client gives up by itself when nothing came for this long. */
const SILENCE_S = 300;

interface Options extends CallOptions {
  readonly path: string;
  readonly model?: string | undefined;
  readonly port: number;
  readonly attach: boolean;
  readonly threads?: number | undefined;
  readonly context?: number | undefined;
  readonly metrics: boolean;
  readonly load_s: number;
  readonly arguments: readonly string[];
}

export class LlamaServer implements Engine {
  readonly #options: Options;
  readonly #context: EngineContext;
  #process: ServerProcess | undefined;

  private constructor(options: Options, context: EngineContext) {
    this.#options = options;
    this.#context = context;
  }

  /** @throws JoulebenchError `config` when the transport reaches no ports of the device */
  static async open(options: Options, context: EngineContext): Promise<LlamaServer> {
    const { transport } = context;
    if (!transport.forward) throw new JoulebenchError("config", "llama-server", "the transport cannot reach a port of the device");
    return new LlamaServer(options, context);
  }

  load(): Promise<EngineAnswer> {
    const { attach, model = "", load_s, port } = this.#options;
    const limit = patience(this.#context, load_s);
    if (attach) return this.#wait(limit);
    return stateLoad(this.#context, model, async () => {
      if (await this.#isTaken()) {
        throw new JoulebenchError(
          "config",
          "llama-server",
          `port ${port} of the device is taken; name another port, or attach: true if it is this server`,
        );
      }
      this.#process = new ServerProcess(this.#context, this.#argv());
      await this.#process.start();
      return this.#wait(limit);
    });
  }

  async ask(request: EngineRequest): Promise<EngineAnswer> {
    const call = callFor(request, this.#options);
    const failed = this.#process?.hasEnded ? await this.load() : undefined;
    if (failed && failed.outcome !== "ok") return stateNeverUp(this.#context, request, call.form, failed);
    const limit = patience(this.#context, request.limit_s);
    const answer = await this.#reached(async (forward) => {
      stateBegin(this.#context, request, call.form, { endpoint: call.endpoint });
      return stateEnd(this.#context, request, await this.#post(call, forward, limit));
    });
    if (this.#options.metrics && answer.outcome === "ok") await this.#get("/metrics", (text, host_ns) => this.#context.hear(text, host_ns));
    return answer;
  }

  async close(): Promise<void> {
    await this.#process?.close();
  }

  /** The server's port for one act: a link that is made anew lets go of every forward from before. @throws JoulebenchError `link` */
  async #reached<T>(act: (forward: Forward) => Promise<T>): Promise<T> {
    const forward = await this.#context.transport.forward!(this.#options.port);
    try {
      return await act(forward);
    } finally {
      await forward.close();
    }
  }

  /** Until it says that it is well, or has ended. */
  async #wait(limit: Patience): Promise<EngineAnswer> {
    const { path, model, attach, port } = this.#options;
    while (!limit.signal.aborted) {
      if (await this.#get("/health", () => {})) return { outcome: "ok", text: "" };
      const ended = await within(Promise.race([this.#ended(), pause(HEALTH_EVERY_MS)]), limit);
      if (!ended || !this.#process) continue;
      if ("lost" in ended) throw ended.lost;
      const words = this.#process.complaint();
      mustStart(path, ended.code, words);
      const answer = judge(ended.code === 0 ? 1 : ended.code, words, "");
      if (answer.outcome === "oom" || isKilled(ended.code)) return answer;
      throw new JoulebenchError("config", path, modelProblem(model, lastWords(words)));
    }
    if (attach && !this.#context.signal.aborted) {
      throw new JoulebenchError(
        "config",
        "llama-server",
        `nothing is well at port ${port} of the device after ${limit.limit_s} s; start it there, or leave attach out`,
      );
    }
    return givenUp(limit, "");
  }

  async #post({ endpoint, body }: Call, forward: Forward, limit: Patience): Promise<EngineAnswer> {
    const lines = new AnswerLines();
    let plain = "";
    try {
      // One connection an answer: a server that closes an idle one just then would break the next.
      const headers = { "content-type": "application/json", connection: "close" };
      const response = await fetch(urlOf(forward, endpoint), { method: "POST", headers, body: JSON.stringify(body), signal: limit.signal });
      for await (const { text, host_ns } of bodyLines(response, this.#context.now)) {
        this.#context.hear(text, host_ns);
        lines.add(text);
        if (!response.ok) plain += text;
      }
      if (!response.ok) return refusal(response.status, errorWords(plain), lines.text);
    } catch (error) {
      if (limit.signal.aborted) return givenUp(limit, lines.text);
      return this.#broken(error, forward, lines.text);
    }
    if (lines.error !== undefined) return refusal(200, lines.error, lines.text);
    return lines.isWhole ? { outcome: "ok", text: lines.text } : this.#broken(new Error("the answer broke off"), forward, lines.text);
  }

  /** The connection broke: the server has died, or the device is gone. @throws JoulebenchError `link` for the latter */
  async #broken(error: unknown, forward: Forward, text: string): Promise<EngineAnswer> {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    if (/timeout/i.test(why) && cause !== error) return { outcome: "timeout", text, detail: `nothing came for ${SILENCE_S} s` };
    const ended = await within(this.#ended(), patience(this.#context, NEWS_S));
    if (ended && "lost" in ended) throw ended.lost;
    if (ended) return judge(ended.code === 0 ? null : ended.code, this.#process?.complaint() ?? "", text);
    await this.#context.transport.identity(); // Says so when the device is gone.
    if (!(await this.#isWell(forward)) && (await this.#get("/health", () => {})))
      throw new JoulebenchError("link", "llama-server", "the link was lost in the middle of an answer; the server is well");
    return { outcome: "crash", text, detail: `the connection to the server broke: ${why}` };
  }

  /** A server that we did not start never ends as far as we know. */
  #ended(): ServerProcess["ended"] {
    return this.#process?.ended ?? new Promise(() => {});
  }

  /** @returns whether it answered well; each line of such an answer is given to `take` */
  async #get(endpoint: string, take: EngineContext["hear"]): Promise<boolean> {
    try {
      return await this.#reached(async (forward) => {
        const response = await fetch(urlOf(forward, endpoint), { signal: patience(this.#context, SMALL_ANSWER_S).signal });
        for await (const { text, host_ns } of bodyLines(response, this.#context.now)) if (response.ok) take(text, host_ns);
        return response.ok;
      });
    } catch {
      return false; // Not there yet, or not any more: whoever asks goes on and sees.
    }
  }

  /** It is well, seen through a forward that may lead nowhere any more. */
  async #isWell(forward: Forward): Promise<boolean> {
    const { signal } = patience(this.#context, SMALL_ANSWER_S);
    return fetch(urlOf(forward, "/health"), { signal }).then(
      async (response) => {
        await response.body?.cancel();
        return response.ok;
      },
      () => false,
    );
  }

  /** Anything that answers, or that accepts and says nothing, holds the port. */
  async #isTaken(): Promise<boolean> {
    const limit = patience(this.#context, 2);
    try {
      return await this.#reached(async (forward) => {
        await (await fetch(urlOf(forward, "/health"), { signal: limit.signal })).body?.cancel();
        return true;
      });
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      return limit.signal.aborted || (cause instanceof Error && cause.name === "HTTPParserError");
    }
  }

  #argv(): string[] {
    const { path, model = "", port, threads, context, metrics, arguments: own } = this.#options;
    const sized = [...(threads === undefined ? [] : ["-t", `${threads}`]), ...(context === undefined ? [] : ["-c", `${context}`])];
    return [path, "-m", model, "--host", "127.0.0.1", "--port", `${port}`, "-np", "1", ...sized, ...(metrics ? ["--metrics"] : []), ...own];
  }
}

const urlOf = ({ host, port }: Forward, endpoint: string): string => `http://${host}:${port}${endpoint}`;
