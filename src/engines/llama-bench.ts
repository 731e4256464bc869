import { z } from "zod";
import { defineEngine, type Engine, type EngineAnswer, type EngineContext, type EngineRequest } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";
import { isKilled, judge, lastWords, modelProblem, mustBeProgram, mustStart, refusalOf } from "./failure.ts";
import { givenUp, patience } from "./patience.ts";
import { runProcess, Text } from "./process-run.ts";
import { stateBegin, stateEnd, stateLoad } from "./statements.ts";

const Options = z.strictObject({
  path: z.string().min(1).default("llama-bench").describe("The program on the device"),
  model: z.string().min(1).describe("The GGUF file on the device"),
  threads: z.int().positive().optional().describe("Threads it computes with; by default its own choice"),
  load_s: z.number().positive().default(300).describe("How long the first load may take"),
  arguments: z.array(z.string()).default([]).describe("More arguments for it"),
});

/** Its progress goes to standard error, and only there it says when a run begins. */
const BOTH_OUTPUTS = 'exec "$@" 2>&1';

/** llama.cpp's benchmark: prefill and decode of given lengths, each run alone. */
export const llamaBench = defineEngine({
  kind: "llama-bench",
  summary: "llama.cpp's llama-bench: prompt_tokens prefilled, then output_tokens decoded, one run each",
  options: Options,
  parser: "llama-bench",
  refuses: (request) => refusalOf(() => mustBeLengths(request)),
  open: async (options, context) => new LlamaBench(options, context),
});

function mustBeLengths({ id, prompt, promptTokens = 0, outputTokens = 0 }: EngineRequest): void {
  if (prompt === undefined && promptTokens + outputTokens > 0) return;
  throw new JoulebenchError("config", "llama-bench", `request ${id}: it takes lengths alone; give prompt_tokens, output_tokens or both`);
}

class LlamaBench implements Engine {
  readonly #options: z.infer<typeof Options>;
  readonly #context: EngineContext;

  constructor(options: z.infer<typeof Options>, context: EngineContext) {
    this.#options = options;
    this.#context = context;
  }

  /** One token prefilled, so that the file is in the page cache and known to be good. */
  load(): Promise<EngineAnswer> {
    const { path, model, load_s } = this.#options;
    return stateLoad(this.#context, model, async () => {
      const { code, answer } = await this.#run(this.#argv(1, 0), load_s, () => {});
      if (answer.outcome === "ok" || answer.outcome === "oom" || answer.outcome === "timeout" || isKilled(code))
        return { ...answer, text: "" };
      throw new JoulebenchError("config", path, modelProblem(model, answer.detail ?? ""));
    });
  }

  async ask(request: EngineRequest): Promise<EngineAnswer> {
    mustBeLengths(request);
    const { promptTokens = 0, outputTokens = 0, limit_s } = request;
    const argv = this.#argv(promptTokens, outputTokens);
    stateBegin(this.#context, request, "bench", { argv });
    const { answer } = await this.#run(argv, limit_s, (text, host_ns) => this.#context.hear(text, host_ns));
    return stateEnd(this.#context, request, answer);
  }

  async close(): Promise<void> {}

  async #run(
    argv: readonly string[],
    limit_s: number,
    hear: EngineContext["hear"],
  ): Promise<{ code: number | null; answer: EngineAnswer }> {
    mustBeProgram(argv);
    const limit = patience(this.#context, limit_s);
    const results = new Text();
    let latest: string[] = [];
    const { code, complaint } = await runProcess(this.#context, ["sh", "-c", BOTH_OUTPUTS, "sh", ...argv], limit, ({ text, host_ns }) => {
      hear(text, host_ns);
      if (text.startsWith("{")) results.add(`${text}\n`);
      latest = [...latest.slice(-5), text];
    });
    if (code === undefined) return { code: null, answer: givenUp(limit, results.text) };
    const words = lastWords(`${latest.join("\n")}\n${complaint}`);
    mustStart(this.#options.path, code, words);
    return { code, answer: judge(code, words, results.text) };
  }

  #argv(promptTokens: number, outputTokens: number): string[] {
    const { path, model, threads, arguments: own } = this.#options;
    const sized = threads === undefined ? [] : ["-t", `${threads}`];
    return [path, "-m", model, "-p", `${promptTokens}`, "-n", `${outputTokens}`, "-r", "1", "-o", "jsonl", "--progress", ...sized, ...own];
  }
}
