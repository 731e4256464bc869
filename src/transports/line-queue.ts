import type { Line } from "../model/transport.ts";

/** Text held, in UTF-16 units, before the source is asked to pause; it may add what it has already read. */
export const QUEUE_LENGTH = 1 << 20;
/** Lines held, because many short ones cost more than their text. */
const QUEUE_LINES = 8192;

/** Lines between a command that prints and the one consumer that iterates; what came before the end is delivered first. */
export class LineQueue implements AsyncIterable<Line> {
  readonly #resume: () => void;
  #lines: Line[] = [];
  #length = 0;
  #full = false;
  #over = false;
  #wake: (() => void) | undefined;

  /** @param resume called when a full queue has been half emptied */
  constructor(resume: () => void) {
    this.#resume = resume;
  }

  /** The source must pause until `resume`. */
  get full(): boolean {
    return this.#full;
  }

  push(line: Line): void {
    if (this.#over) return;
    this.#lines.push(line);
    this.#length += line.text.length;
    this.#full ||= this.#length >= QUEUE_LENGTH || this.#lines.length >= QUEUE_LINES;
    this.#wake?.();
  }

  end(): void {
    this.#over = true;
    this.#wake?.();
  }

  /**
   * Ends with what came after the last newline, once the command is known to have ended.
   *
   * @param rest dropped when `exit` rejects: the link was lost in the middle of a line
   */
  async endWith(rest: readonly Line[], exit: Promise<unknown>): Promise<void> {
    const isWhole = rest.length > 0 && (await exit.then(() => true).catch(() => false));
    if (isWhole) for (const line of rest) this.push(line);
    this.end();
  }

  /** Leaving a loop keeps the rest for the next one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Line, void, undefined> {
    while (true) {
      const line = this.#take();
      if (line) yield line;
      else if (this.#over) return;
      else await this.#change();
    }
  }

  #take(): Line | undefined {
    const line = this.#lines.shift();
    if (!line) return undefined;
    this.#length -= line.text.length;
    if (this.#full && this.#length <= QUEUE_LENGTH / 2 && this.#lines.length <= QUEUE_LINES / 2) {
      this.#full = false;
      this.#resume();
    }
    return line;
  }

  async #change(): Promise<void> {
    if (this.#wake) throw new Error("the lines of a channel have one consumer");
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
