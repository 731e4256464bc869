import type { PortChunk } from "../model/port.ts";

/** Most bytes a queue takes before it asks its source to pause: 2.5 s of the fastest meter in use (400 kB/s). */
export const QUEUE_BYTES = 1 << 20;
/** Most chunks, because many small ones cost more memory than they hold. */
export const QUEUE_CHUNKS = 8192;

/**
 * Chunks between a source that pushes and the one consumer that iterates.
 *
 * Bounded by the source's obedience: it may add what it has already read after `push` said no, and must then wait for
 * `resume`. What was pushed before the end or the failure is delivered before it.
 */
export class ChunkQueue {
  readonly #resume: () => void;
  #chunks: PortChunk[] = [];
  #bytes = 0;
  #full = false;
  #over = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** @param resume called when a full queue has been half emptied. */
  constructor(resume: () => void) {
    this.#resume = resume;
  }

  get full(): boolean {
    return this.#full;
  }

  /** @returns false when the source must pause until `resume`. */
  push(chunk: PortChunk): boolean {
    if (this.#over) return false;
    this.#chunks.push(chunk);
    this.#bytes += chunk.bytes.length;
    this.#full ||= this.#bytes >= QUEUE_BYTES || this.#chunks.length >= QUEUE_CHUNKS;
    this.#wake?.();
    return !this.#full;
  }

  /** No more chunks: the iteration ends, normally or by throwing `failure`. The first call decides. */
  end(failure?: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#failure = failure;
    this.#wake?.();
  }

  /** Takes the chunks one by one. Leaving a loop keeps the rest for the next one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<PortChunk, void, undefined> {
    while (true) {
      const chunk = this.#take();
      if (chunk) yield chunk;
      else if (this.#failure) throw this.#failure;
      else if (this.#over) return;
      else await this.#change();
    }
  }

  #take(): PortChunk | undefined {
    const chunk = this.#chunks.shift();
    if (!chunk) return undefined;
    this.#bytes -= chunk.bytes.length;
    if (this.#full && this.#bytes <= QUEUE_BYTES / 2 && this.#chunks.length <= QUEUE_CHUNKS / 2) {
      this.#full = false;
      if (!this.#over) this.#resume();
    }
    return chunk;
  }

  async #change(): Promise<void> {
    if (this.#wake) throw new Error("a port has one consumer");
    try {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    } finally {
      this.#wake = undefined;
    }
  }
}
