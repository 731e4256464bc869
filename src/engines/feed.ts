import type { EngineContext } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Line } from "../model/transport.ts";
import { ending, lastWords } from "./failure.ts";

/** How a feed's command line is made anew each time it is opened, and what its lines are. */
export interface FeedSource {
  /** The command that prints the log from where it was left. */
  argv(): readonly string[];
  /** @returns the text of a line of the log; undefined for a line of the feed's own */
  read(line: string): string | undefined;
  /** Its first line is its own and says where it begins: what is written after that is not missed. */
  readonly saysWhere: boolean;
}

/** A log on the device as it grows: a command that prints it, opened again where it broke off. */
export class Feed {
  readonly #context: EngineContext;
  readonly #source: FeedSource;
  readonly #take: (line: Line) => void;
  #channel: Channel | undefined;
  #over: Promise<unknown> | undefined;

  constructor(context: EngineContext, source: FeedSource, take: (line: Line) => void) {
    this.#context = context;
    this.#source = source;
    this.#take = take;
  }

  /** It was opened, and its command still runs as far as anybody knows. */
  get isOpen(): boolean {
    return this.#over !== undefined;
  }

  /**
   * Opens it unless it is open, and waits until it looks.
   *
   * @returns what resolves with the error, once it ends: `link` when the device was lost, `config` when its command ended
   */
  async open(): Promise<{ readonly over: Promise<unknown> }> {
    if (!this.#over) {
      const channel = await this.#context.transport.open(this.#source.argv());
      channel.exit.catch(() => undefined); // Read below, once there are no more lines.
      channel.endInput();
      this.#channel = channel;
      let looks = (): void => {};
      const looking = new Promise<void>((resolve) => {
        looks = resolve;
      });
      const over = this.#follow(channel, looks).finally(() => {
        this.#over = undefined;
      });
      this.#over = over;
      if (this.#source.saysWhere) await Promise.race([looking, over]);
      return { over };
    }
    return { over: this.#over };
  }

  async close(): Promise<void> {
    await this.#channel?.close();
    await this.#over;
  }

  async #follow(channel: Channel, looks: () => void): Promise<unknown> {
    try {
      for await (const { text, host_ns } of channel.lines) {
        const read = this.#source.read(text);
        if (read === undefined) looks();
        else this.#take({ text: read, host_ns });
      }
      const code = await channel.exit;
      return new JoulebenchError("config", "app", `its log cannot be read: ${ending(code)}: ${lastWords(channel.complaint())}`);
    } catch (error) {
      return error;
    }
  }
}
