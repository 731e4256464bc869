import { z } from "zod";
import type { Cell } from "./cells.ts";

/** One line of `progress.jsonl`: what became of a cell, or the temperatures before the first one. */
export const Progress = z.discriminatedUnion("state", [
  z.object({ state: z.literal("begun"), at: z.string(), temperatures_degc: z.record(z.string(), z.number()) }),
  ...(["started", "done", "invalid", "failed", "interrupted"] as const).map((state) =>
    z.object({
      state: z.literal(state),
      at: z.string(),
      cell: z.int().positive(),
      id: z.string(),
      hash: z.string(),
      attempt: z.int().positive(),
      reason: z.string().optional(),
      /** The link was lost: the cell is tried once more at the end of the queue. */
      link_lost: z.literal(true).optional(),
      took_s: z.number().optional(),
      conditions: z.record(z.string(), z.string()).optional(),
      notes: z.array(z.string()).optional(),
    }),
  ),
]);
export type Progress = z.infer<typeof Progress>;
export type CellProgress = Exclude<Progress, { state: "begun" }>;

/** What the queue measures next. */
export interface Task {
  readonly cell: Cell;
  readonly attempt: number;
  /** What an earlier, unfinished or failed measurement of the cell left in its folder. */
  readonly leftOver?: "interrupted" | "failed";
}

/** A cell is tried so often in all when its link is lost. */
const MOST_ATTEMPTS = 2;

/** Where a plan stands: a function of its cells and its progress, so that a killed queue goes on where it was. */
export class Queue {
  readonly #cells: readonly Cell[];
  readonly #last = new Map<number, CellProgress>();

  constructor(cells: readonly Cell[], history: readonly Progress[]) {
    this.#cells = cells;
    for (const each of history) this.record(each);
  }

  record(progress: Progress): void {
    if (progress.state !== "begun") this.#last.set(progress.cell, progress);
  }

  /** The last word on a cell. */
  stateOf({ index }: Cell): CellProgress | undefined {
    return this.#last.get(index);
  }

  /** The next cell in order; when all had their turn, those whose link was lost, once more. */
  next(): Task | undefined {
    return this.remaining()[0];
  }

  /** Everything still to be measured, as far as is known. */
  remaining(): Task[] {
    const tasks = this.#cells.flatMap((cell) => this.#taskOf(cell) ?? []);
    return [...tasks.filter(({ attempt }) => attempt === 1), ...tasks.filter(({ attempt }) => attempt > 1)];
  }

  #taskOf(cell: Cell): Task | undefined {
    const last = this.#last.get(cell.index);
    if (!last) return { cell, attempt: 1 };
    if (last.state === "started" || last.state === "interrupted") return { cell, attempt: last.attempt, leftOver: "interrupted" };
    if (last.link_lost && last.attempt < MOST_ATTEMPTS) return { cell, attempt: last.attempt + 1, leftOver: "failed" };
    return undefined;
  }
}
