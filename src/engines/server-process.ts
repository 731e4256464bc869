import type { EngineContext } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel } from "../model/transport.ts";
import { patience } from "./patience.ts";
import { query } from "./process-run.ts";

/** Says which process it is and becomes the server, so that the server can be ended even over another link. */
const START = 'echo "$$"; exec "$@"';
/** Ends a process that a lost link left behind, if it still is one with these arguments. */
const END_LEFTOVER = `
is_it() { case " $(tr '\\0' ' ' <"/proc/$1/cmdline") " in *" $2 "*) return 0;; esac; return 1; } 2>/dev/null
for signal in TERM KILL; do
  is_it "$1" "$2" || exit 0
  kill -$signal "$1"
  for wait in 1 2 3 4 5 6 7 8; do is_it "$1" "$2" || exit 0; sleep 0.25; done
done
exit 1
`;

/** How a server's process ended: by a code (null for a signal), or unseen because the link was lost. */
export type ServerEnd = { readonly code: number | null } | { readonly lost: unknown };

/** A server running on the device. Its output is heard; its end is known as soon as the channel knows it. */
export class ServerProcess {
  readonly ended: Promise<ServerEnd>;
  readonly #context: EngineContext;
  readonly #channel: Channel;
  readonly #argv: readonly string[];
  readonly #reading: Promise<void>;
  #pid: string | undefined;

  private constructor(context: EngineContext, channel: Channel, argv: readonly string[]) {
    this.#context = context;
    this.#channel = channel;
    this.#argv = argv;
    this.#reading = this.#read();
    this.ended = this.#end();
  }

  /** @throws JoulebenchError `config` when its path begins with a dash; `config` or `link` as the transport does */
  static async start(context: EngineContext, argv: readonly string[]): Promise<ServerProcess> {
    // The shell would take it for an option of `exec`.
    if (argv[0]?.startsWith("-")) throw new JoulebenchError("config", argv[0], "a command cannot begin with a dash; give its full path");
    const channel = await context.transport.open(["sh", "-c", START, "sh", ...argv]);
    return new ServerProcess(context, channel, argv);
  }

  /** The end of what it wrote to standard error. */
  complaint(): string {
    return this.#channel.complaint();
  }

  /** Ends it; when the link was lost meanwhile, by its number. @throws JoulebenchError `link` when the device cannot be reached */
  async close(): Promise<void> {
    await this.#channel.close();
    const end = await this.ended;
    if (!("lost" in end) || this.#pid === undefined) return;
    const [path = "", ...rest] = this.#argv; // A wrapper may have put another program in its place.
    const argv = ["sh", "-c", END_LEFTOVER, "sh", this.#pid, rest.join(" ")];
    const { code } = await query({ ...this.#context, signal: new AbortController().signal }, argv, patience(this.#context, 10));
    if (code !== 0) throw new JoulebenchError("link", path, `process ${this.#pid} is still running on the device and does not end`);
  }

  async #read(): Promise<void> {
    for await (const { text, host_ns } of this.#channel.lines) {
      if (this.#pid === undefined && /^\d+$/.test(text)) this.#pid = text;
      else this.#context.hear(text, host_ns);
    }
  }

  async #end(): Promise<ServerEnd> {
    try {
      const code = await this.#channel.exit;
      await this.#reading;
      return { code };
    } catch (lost) {
      return { lost };
    }
  }
}
