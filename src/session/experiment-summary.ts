import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type RepetitionMean, repetitionMeans } from "../metrics/repetitions.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Results } from "../model/results.ts";
import type { Cell } from "../rig/cells.ts";
import type { Queue } from "../rig/queue.ts";

/** All repetitions of one set of parameters. */
export interface CellGroup {
  readonly hash: string;
  /** Values of the axes, by dotted key. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Valid sessions, by the names of their folders, in the order of measuring. */
  readonly cells: readonly string[];
  readonly quantities: Readonly<Record<string, RepetitionMean>>;
}

/** `summary.json`: what an experiment came to. It holds no time of day and no path but names of folders in `cells/`. */
export interface ExperimentSummary {
  readonly format: 1;
  /** Names of all cells, in the order in which they stand in the queue. */
  readonly order: readonly string[];
  readonly groups: readonly CellGroup[];
  /** Cells without a valid session, and why. */
  readonly unmeasured: readonly { readonly cell: string; readonly state: string; readonly reason?: string }[];
}

/** Reads the results of every valid cell. @throws JoulebenchError `config` when one of them is gone or damaged */
export function summariseExperiment(dir: string, cells: readonly Cell[], queue: Queue): ExperimentSummary {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells.toSorted((a, b) => a.repetition - b.repetition)) {
    const group = groups.get(cell.hash);
    if (group) group.push(cell);
    else groups.set(cell.hash, [cell]);
  }
  return {
    format: 1,
    order: cells.map(({ id }) => id),
    groups: [...groups].map(([hash, members]) => groupOf(dir, hash, members, queue)),
    unmeasured: cells.flatMap((cell) => {
      const { state = "waiting", reason } = queue.stateOf(cell) ?? {};
      return state === "done" ? [] : [{ cell: cell.id, state, ...(reason === undefined ? {} : { reason }) }];
    }),
  };
}

function groupOf(dir: string, hash: string, members: readonly Cell[], queue: Queue): CellGroup {
  const done = members.filter((cell) => queue.stateOf(cell)?.state === "done").toSorted((a, b) => a.index - b.index);
  const sessions = done.map(({ id }) => readResults(join(dir, "cells", id)));
  return { hash, values: members[0]!.values, cells: done.map(({ id }) => id), quantities: repetitionMeans(sessions) };
}

function readResults(dir: string): Results {
  const path = join(dir, "results.json");
  if (!existsSync(path))
    throw new JoulebenchError("config", dir, "holds no results.json though it was measured; `joulebench analyze` makes it anew");
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Results;
  } catch (cause) {
    throw new JoulebenchError("config", path, "is not whole JSON: it was edited; `joulebench analyze` makes it anew", { cause });
  }
}
