import { z } from "zod";
import { defineEngine, type Engine, type EngineAnswer, type EngineContext, type EngineRequest } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";
import { COMMAND_SCRIPT, NO_CLOCK } from "./command-script.ts";
import { judge, lastWords, mustStart, NOT_FOUND, refusalOf } from "./failure.ts";
import { givenUp, patience } from "./patience.ts";
import { fill } from "./placeholders.ts";
import { runProcess, Text } from "./process-run.ts";
import { stateBegin, stateEnd } from "./statements.ts";

const Options = z.strictObject({
  argv: z
    .array(z.string())
    .min(1)
    .describe(
      "The program and its arguments; {prompt}, {request}, {prompt_tokens}, {output_tokens} are filled in, each inside its element",
    ),
  unit: z.string().min(1).default("run").describe("What one run does: image, inference, frame, …"),
  count: z.int().positive().default(1).describe("How many units one run does"),
});

/** Any program, once per request, timed on the device. */
export const command = defineEngine({
  kind: "command",
  summary: "any program, once per request: energy per unit of its work",
  options: Options,
  parser: "jsonl",
  refuses: (request, options) => refusalOf(() => fill(options.argv, request, "command")),
  open: async (options, context) => new Command(options, context),
});

class Command implements Engine {
  readonly #options: z.infer<typeof Options>;
  readonly #context: EngineContext;

  constructor(options: z.infer<typeof Options>, context: EngineContext) {
    this.#options = options;
    this.#context = context;
  }

  /** Nothing stays in memory between runs; the program has to be there. */
  async load(): Promise<EngineAnswer> {
    const program = this.#options.argv[0] ?? "";
    if (!/\{\w+\}/.test(program)) {
      const look = ["sh", "-c", 'command -v -- "$1"', "sh", program];
      const { code, complaint } = await runProcess(this.#context, look, patience(this.#context, 10), () => {});
      mustStart(program, code === 0 ? 0 : NOT_FOUND, complaint);
    }
    return { outcome: "ok", text: "" };
  }

  async ask(request: EngineRequest): Promise<EngineAnswer> {
    const argv = fill(this.#options.argv, request, "command");
    stateBegin(this.#context, request, "process", { argv });
    return stateEnd(this.#context, request, await this.#run(request, argv));
  }

  async close(): Promise<void> {}

  async #run(request: EngineRequest, argv: readonly string[]): Promise<EngineAnswer> {
    const { unit, count } = this.#options;
    const limit = patience(this.#context, request.limit_s);
    const said = new Text();
    const wrapped = ["sh", "-c", COMMAND_SCRIPT, "sh", JSON.stringify(request.id), JSON.stringify(unit), `${count}`, ...argv];
    const { code, complaint } = await runProcess(this.#context, wrapped, limit, ({ text, host_ns }) => {
      // What the program prints beside events is its answer, not its log.
      if (text.startsWith("{")) this.#context.hear(text, host_ns);
      else said.add(`${text}\n`);
    });
    if (code === undefined) return givenUp(limit, said.text);
    mustStart(argv[0] ?? "", code, complaint);
    if (code === NO_CLOCK && complaint.includes("EPOCHREALTIME")) throw new JoulebenchError("config", "command", lastWords(complaint));
    // The script ends what it prints with an empty line of its own.
    return judge(code, complaint, said.text.replace(/\n$/, ""));
  }
}
