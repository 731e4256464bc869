import type { EngineContext } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel } from "../model/transport.ts";
import { mustBeProgram } from "./failure.ts";
import { patience } from "./patience.ts";
import { query } from "./process-run.ts";

/** Marks the environment of what becomes the server, and of all it starts: they are found by it over another link. */
const START = 'export JOULEBENCH_SERVER="$1"; shift; exec "$@"';
/** Ends what a lost link left behind. A command's own environment is not marked: only its arguments name the mark. */
const END_LEFTOVERS = `
left() { grep -l "JOULEBENCH_SERVER=$1" /proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\n'; }
for signal in TERM KILL; do
  for wait in 1 2 3 4 5 6 7 8; do
    pids=$(left "$1")
    [ "$pids" ] || exit 0
    [ $wait = 1 ] && kill -$signal $pids 2>/dev/null
    sleep 0.25
  done
done
echo $pids
exit 1
`;

/** How a server's process ended: by a code (null for a signal), or unseen because the link was lost. */
export type ServerEnd = { readonly code: number | null } | { readonly lost: unknown };

/** A server running on the device. Its output is heard; its end is known as soon as the channel knows it. */
export class ServerProcess {
  readonly #context: EngineContext;
  readonly #argv: readonly string[];
  readonly #mark = crypto.randomUUID();
  #channel: Channel | undefined;
  #ended: Promise<ServerEnd> | undefined;
  #hasEnded = false;

  constructor(context: EngineContext, argv: readonly string[]) {
    this.#context = context;
    this.#argv = argv;
  }

  /** It has ended by itself, or was ended on the device: not lost with its link. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Never, as long as it is not started. */
  get ended(): Promise<ServerEnd> {
    return this.#ended ?? new Promise(() => {});
  }

  /** @throws JoulebenchError `config` when its path begins with a dash; `config` or `link` as the transport does */
  async start(): Promise<void> {
    const argv = this.#argv;
    mustBeProgram(argv);
    try {
      this.#channel = await this.#context.transport.open(["sh", "-c", START, "sh", this.#mark, ...argv]);
      this.#ended = this.#end(this.#channel);
    } catch (error) {
      // It may have been started before the link was lost.
      if (error instanceof JoulebenchError && error.kind === "link") this.#ended = Promise.resolve({ lost: error });
      throw error;
    }
  }

  /** The end of what it wrote to standard error. */
  complaint(): string {
    return this.#channel?.complaint() ?? "";
  }

  /** Ends it; when the link was lost meanwhile, by its mark. @throws JoulebenchError `link` when the device cannot be reached */
  async close(): Promise<void> {
    await this.#channel?.close();
    const end = await this.#ended;
    if (!end || !("lost" in end)) return;
    const argv = ["sh", "-c", END_LEFTOVERS, "sh", this.#mark];
    const { code, output } = await query({ ...this.#context, signal: new AbortController().signal }, argv, patience(this.#context, 10));
    if (code === 0) return;
    const pids = output.trim();
    throw new JoulebenchError("link", this.#argv[0]!, `is still running on the device as ${pids || "a process"} and does not end`);
  }

  async #end(channel: Channel): Promise<ServerEnd> {
    const reading = this.#read(channel);
    try {
      const code = await channel.exit;
      await reading;
      this.#hasEnded = true;
      return { code };
    } catch (lost) {
      return { lost };
    }
  }

  async #read(channel: Channel): Promise<void> {
    for await (const { text, host_ns } of channel.lines) this.#context.hear(text, host_ns);
  }
}
