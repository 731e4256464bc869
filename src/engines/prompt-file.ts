import type { EngineContext } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel } from "../model/transport.ts";
import { lastWords } from "./failure.ts";
import { patience } from "./patience.ts";
import { query } from "./process-run.ts";

const WRITE = 'umask 077; f=$(mktemp "$1/joulebench.XXXXXX") && cat >"$f" && echo "$f"';
/** How long writing a prompt may take. */
const LIMIT_S = 60;

/** A prompt too long for a command line, as a file of its own on the device. It ends with a newline, which llama.cpp takes off. */
export class PromptFile {
  readonly path: string;
  readonly #context: EngineContext;

  private constructor(context: EngineContext, path: string) {
    this.#context = context;
    this.path = path;
  }

  /** @throws JoulebenchError `config` when the folder cannot be written to, `link` when the device is lost */
  static async write(context: EngineContext, folder: string, prompt: string): Promise<PromptFile> {
    const channel = await context.transport.open(["sh", "-c", WRITE, "sh", folder]);
    channel.exit.catch(() => undefined); // Read below, once there are no more lines.
    try {
      await send(channel, prompt);
      let path = "";
      for await (const { text } of channel.lines) path ||= text;
      if ((await channel.exit) === 0 && path) return new PromptFile(context, path);
      throw new JoulebenchError("config", folder, `cannot put a prompt there: ${lastWords(channel.complaint())}`);
    } finally {
      await channel.close();
    }
  }

  async remove(): Promise<void> {
    await query(this.#context, ["rm", "-f", "--", this.path], patience(this.#context, LIMIT_S));
  }
}

/** A command that cannot write ends before it has read: why, its exit code and its complaint say. */
async function send(channel: Channel, prompt: string): Promise<void> {
  try {
    for (const line of prompt.split("\n")) await channel.write(line);
    channel.endInput();
  } catch (error) {
    await channel.exit; // A lost link is thrown from here.
    if (!(error instanceof JoulebenchError)) throw error;
  }
}
