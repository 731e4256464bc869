import { mkdirSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { Block } from "../model/block.ts";
import type { TimeMap } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import { refusable } from "./append-file.ts";
import type { TraceFacts } from "./part-writer.ts";
import { type Batch, Batcher } from "./trace-batch.ts";
import type { StreamSummary } from "./trace-manifest.ts";

export type WorkerAnswer =
  | { readonly type: "taken" }
  | { readonly type: "closed"; readonly streams: readonly StreamSummary[] }
  | { readonly type: "failed"; readonly subject: string; readonly message: string };

/** Batches the thread may be behind; each is half a megabyte a column. */
const MOST_WAITING = 4;

/**
 * Writes the trace of a session into a new folder: Parquet, pyramids and energies, in a thread of its own.
 *
 * Blocks of each source come in order of time. `add` waits where the thread is behind, so memory stays bounded.
 *
 * @throws JoulebenchError `sink` from every method once the disk has refused something
 */
export class TraceWriter {
  readonly #worker: Worker;
  readonly #batchers = new Map<string, Batcher>();
  readonly #longestSteps: Readonly<Record<string, number>>;
  #waiting = 0;
  #failure: Error | undefined;
  #streams: readonly StreamSummary[] | undefined;
  #wake = (): void => {};

  /** @param longestSteps by source: distance of two `point` samples, in ticks, beyond which there is a gap */
  constructor(trace: string, facts: TraceFacts, longestSteps: Readonly<Record<string, number>> = {}) {
    refusable(trace, "make the folder of", () => mkdirSync(trace, { recursive: true }));
    this.#longestSteps = longestSteps;
    this.#worker = new Worker(new URL("./trace-worker.js", import.meta.url), { workerData: { trace, facts } });
    this.#worker.on("message", (message: WorkerAnswer) => this.#hear(message));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (code) => {
      if (!this.#streams) this.#fail(new JoulebenchError("sink", trace, `the thread that writes the trace ended with code ${code}`));
    });
  }

  async add(block: Block, map: TimeMap): Promise<void> {
    const batcher = this.#batchers.get(block.source) ?? new Batcher(block.source, this.#longestSteps[block.source]);
    this.#batchers.set(block.source, batcher);
    for (const batch of batcher.add(block, map)) await this.#send(batch);
  }

  /** Completes, syncs and names every file. @returns what was kept of each source */
  async close(): Promise<readonly StreamSummary[]> {
    for (const batcher of this.#batchers.values()) for (const batch of batcher.rest()) await this.#send(batch);
    this.#worker.postMessage("close");
    while (!this.#streams) await this.#next();
    return this.#streams;
  }

  /** Ends the thread, whatever it is at; what it has written stays as it is. */
  async abandon(): Promise<void> {
    await this.#worker.terminate();
  }

  async #send(batch: Batch): Promise<void> {
    while (this.#waiting >= MOST_WAITING) await this.#next();
    if (this.#failure) throw this.#failure;
    this.#waiting++;
    const arrays = [batch.times_s, batch.lengths_s, ...Object.values(batch.columns)];
    this.#worker.postMessage(
      batch,
      arrays.map(({ buffer }) => buffer as ArrayBuffer),
    );
  }

  /** Waits until the thread has said something. */
  async #next(): Promise<void> {
    if (this.#failure) throw this.#failure;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#failure) throw this.#failure;
  }

  #hear(message: WorkerAnswer): void {
    if (message.type === "failed") this.#fail(new JoulebenchError("sink", message.subject, message.message));
    else if (message.type === "taken") this.#waiting--;
    else this.#streams = message.streams;
    this.#wake();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }
}
