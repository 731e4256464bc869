import type { Channel, Line, Transport } from "../model/transport.ts";
import { LineQueue } from "./line-queue.ts";

/**
 * A channel to something that runs whether or not anybody listens, as an app on a phone: after a lost link `resume`
 * opens it anew. What was said meanwhile is lost, unless the other side says it again.
 */
export class ReopenedChannel implements Channel {
  readonly lines: AsyncIterable<Line>;
  readonly exit: Promise<number | null>;
  readonly #transport: Transport;
  readonly #argv: readonly string[];
  readonly #lost: (reason: string) => void;
  readonly #queue: LineQueue;
  #settle: (code: number | null) => void = () => {};
  #channel: Channel | undefined;
  #isClosed = false;
  #room: Promise<void> = Promise.resolve();
  #makeRoom: () => void = () => {};

  /** @param lost told, with the reason, when the link is gone and `resume` is waited for. @throws as `transport.open` does */
  static async open(transport: Transport, argv: readonly string[], lost: (reason: string) => void): Promise<ReopenedChannel> {
    const channel = new ReopenedChannel(transport, argv, lost);
    await channel.resume(() => {});
    return channel;
  }

  private constructor(transport: Transport, argv: readonly string[], lost: (reason: string) => void) {
    this.#transport = transport;
    this.#argv = argv;
    this.#lost = lost;
    this.#queue = new LineQueue(() => this.#makeRoom());
    this.lines = this.#queue;
    this.exit = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  complaint(): string {
    return this.#channel?.complaint() ?? "";
  }

  async write(line: string): Promise<void> {
    await this.#channel?.write(line);
  }

  endInput(): void {
    this.#channel?.endInput();
  }

  /** @param opened called before the first line of the new channel. @throws JoulebenchError as `transport.open` does */
  async resume(opened: () => void): Promise<void> {
    if (this.#isClosed) return;
    const channel = await this.#transport.open(this.#argv);
    this.#channel = channel;
    opened();
    void this.#receive(channel);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#makeRoom();
    await this.#channel?.close();
    this.#end(null);
  }

  async #receive(channel: Channel): Promise<void> {
    for await (const line of channel.lines) {
      this.#queue.push(line);
      if (this.#queue.full && !this.#isClosed)
        this.#room = new Promise((resolve) => {
          this.#makeRoom = resolve;
        });
      await this.#room;
    }
    channel.exit.then(
      (code) => this.#end(code),
      (error: unknown) => {
        if (!this.#isClosed && channel === this.#channel) this.#lost(error instanceof Error ? error.message : String(error));
      },
    );
  }

  #end(code: number | null): void {
    this.#queue.end();
    this.#settle(code);
  }
}
