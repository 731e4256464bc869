import { z } from "zod";
import { defineEngine, type Engine, type EngineAnswer, type EngineContext, type EngineRequest } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";
import { isKilled, judge, lastWords, modelProblem, mustStart, refusalOf } from "./failure.ts";
import { givenUp, patience } from "./patience.ts";
import { runProcess, Text } from "./process-run.ts";
import { PromptFile } from "./prompt-file.ts";
import { stateBegin, stateEnd, stateLoad } from "./statements.ts";
import { TwoOutputs } from "./two-outputs.ts";

/** Prompts of more characters go through a file: a single argument may have 128 KiB on Linux, and a link allows less. */
const ARGUMENT_LENGTH = 16_384;

const Options = z.strictObject({
  path: z.string().min(1).default("llama-completion").describe("The program on the device; an older llama-cli or main will do"),
  model: z.string().min(1).describe("The GGUF file on the device"),
  threads: z.int().positive().optional().describe("Threads it computes with; by default its own choice"),
  context: z.int().positive().optional().describe("Tokens of context; by default the model's"),
  seed: z.int().nonnegative().default(1).describe("Seed of the sampler"),
  temperature: z.number().nonnegative().default(0).describe("Temperature of the sampler; 0 takes the likeliest token"),
  log: z.enum(["jsonl", "text"]).default("jsonl").describe("text for versions without --log-jsonl: totals per request, no single tokens"),
  folder: z.string().min(1).default("/tmp").describe("Where long prompts are put on the device for the time of a request"),
  load_s: z.number().positive().default(300).describe("How long the first load may take"),
  arguments: z.array(z.string()).default([]).describe("More arguments for it"),
});

/** llama.cpp's one-shot program: a process per request, so that every request holds a load of the model. */
export const llamaCompletion = defineEngine({
  kind: "llama-completion",
  summary: "llama.cpp's llama-completion: a process per request, with its load",
  options: Options,
  parser: "llama-completion",
  refuses: (request) => refusalOf(() => textOf(request)),
  open: async (options, context) => new LlamaCompletion(options, context),
});

function textOf({ id, prompt }: EngineRequest): string {
  if (typeof prompt === "string") return prompt;
  const what = prompt === undefined ? "a request without a prompt" : "a chat";
  throw new JoulebenchError("config", "llama-completion", `request ${id}: it cannot take ${what}; use the engine llama-server or a text`);
}

class LlamaCompletion implements Engine {
  readonly #options: z.infer<typeof Options>;
  readonly #context: EngineContext;

  constructor(options: z.infer<typeof Options>, context: EngineContext) {
    this.#options = options;
    this.#context = context;
  }

  /** One token for nothing: the file is read into the page cache, and what is wrong with it is known before the first request. */
  load(): Promise<EngineAnswer> {
    const { path, model, load_s } = this.#options;
    return stateLoad(this.#context, model, async () => {
      const limit = patience(this.#context, load_s);
      const rehearsal = new Words();
      const { code, complaint } = await runProcess(this.#context, this.#argv(["-p", "a", "-n", "1"]), limit, ({ text }) =>
        rehearsal.add(text),
      );
      if (code === undefined) return givenUp(limit, "");
      const words = this.#words(rehearsal, complaint);
      mustStart(path, code, words);
      const answer = judge(code, words, "");
      if (answer.outcome === "ok" || answer.outcome === "oom" || isKilled(code)) return answer;
      throw new JoulebenchError("config", path, modelProblem(model, lastWords(words)));
    });
  }

  async ask(request: EngineRequest): Promise<EngineAnswer> {
    const prompt = textOf(request);
    const file = prompt.length > ARGUMENT_LENGTH ? await PromptFile.write(this.#context, this.#options.folder, prompt) : undefined;
    try {
      const { outputTokens, ignoresEos } = request;
      const lengths = [...(outputTokens === undefined ? [] : ["-n", `${outputTokens}`]), ...(ignoresEos ? ["--ignore-eos"] : [])];
      const argv = this.#argv([...(file ? ["-f", file.path] : ["-p", prompt]), ...lengths]);
      stateBegin(this.#context, request, "process", { argv });
      return stateEnd(this.#context, request, await this.#run(request, argv));
    } finally {
      await file?.remove();
    }
  }

  async close(): Promise<void> {}

  async #run(request: EngineRequest, argv: readonly string[]): Promise<EngineAnswer> {
    if (this.#options.log === "text") return this.#runLoggingText(request, argv);
    const limit = patience(this.#context, request.limit_s);
    const output = new Text();
    const words = new Words();
    const { code, complaint } = await runProcess(this.#context, argv, limit, ({ text, host_ns }) => {
      this.#context.hear(text, host_ns);
      words.add(text);
      output.add(generated(text) ?? "");
    });
    if (code === undefined) return givenUp(limit, output.text);
    mustStart(this.#options.path, code, complaint);
    return judge(code, this.#words(words, complaint), output.text);
  }

  /** A log as text goes to standard error, and often has no times of its own: each line counts when it comes. */
  async #runLoggingText(request: EngineRequest, argv: readonly string[]): Promise<EngineAnswer> {
    const limit = patience(this.#context, request.limit_s);
    const [output, words, both] = [new Text(), new Words(), new TwoOutputs()];
    let exit: number | undefined;
    const { code, complaint } = await runProcess(this.#context, both.argv(argv), limit, ({ text, host_ns }) => {
      const { printed, logged, code } = both.read(text);
      exit ??= code;
      if (printed !== undefined) output.add(`${printed}\n`);
      if (logged !== undefined) words.add(logged);
      for (const line of [printed, logged]) if (line !== undefined) this.#context.hear(line, host_ns);
    });
    if (code === undefined) return givenUp(limit, output.text);
    const said = this.#words(words, complaint);
    const ended = exit ?? code;
    mustStart(this.#options.path, ended, said);
    return judge(ended, said, output.text);
  }

  /** What counts comes last: a log as JSON is on standard output, a log as text is the complaint. */
  #words({ last }: Words, complaint: string): string {
    return this.#options.log === "jsonl" ? `${complaint}\n${last}` : `${last}\n${complaint}`;
  }

  /** `--no-escape`, or it would read `\n` in a prompt as a newline. */
  #argv(more: readonly string[]): string[] {
    const { path, model, threads, context, seed, temperature, log, arguments: own } = this.#options;
    const sized = [...(threads === undefined ? [] : ["-t", `${threads}`]), ...(context === undefined ? [] : ["-c", `${context}`])];
    const fixed = ["-no-cnv", "--no-display-prompt", "--no-escape", "--perf", "--seed", `${seed}`, "--temp", `${temperature}`];
    return [path, "-m", model, ...sized, ...fixed, ...(log === "jsonl" ? ["--log-jsonl"] : []), ...own, ...more];
  }
}

/** The words of a log, for messages: its last lines, as text. */
class Words {
  #lines: string[] = [];

  add(line: string): void {
    const text = logged(line)?.msg ?? line;
    if (logged(line)?.level !== "none" && text.trim()) this.#lines = [...this.#lines.slice(-5), text.trim()];
  }

  get last(): string {
    return this.#lines.join("\n");
  }
}

const generated = (line: string): string | undefined => (logged(line)?.level === "none" ? logged(line)?.msg : undefined);

const Logged = z.looseObject({ type: z.literal("log"), level: z.string(), msg: z.string() });

function logged(line: string): z.infer<typeof Logged> | undefined {
  try {
    return Logged.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined; // Half a line of an engine that died, or a line of other text.
  }
}
