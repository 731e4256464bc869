import { join } from "node:path";
import type { JoulebenchError } from "../model/errors.ts";
import type { Cell } from "../rig/cells.ts";
import { expected_s } from "../rig/duration.ts";
import type { ExperimentPlan } from "../rig/parse-experiment.ts";
import { type CellProgress, Queue, type Task } from "../rig/queue.ts";
import type { Rig } from "../rig/rig.ts";
import type { Temperatures } from "../rig/temperature.ts";
import { writeJson } from "../store/session-file.ts";
import { type CellContext, type CellOutcome, runCell } from "./cell.ts";
import { onDevice } from "./device-commands.ts";
import { ExperimentFolder } from "./experiment-folder.ts";
import { type ExperimentSummary, summariseExperiment } from "./experiment-summary.ts";
import { isLinkLost } from "./waiting.ts";

/** What an experiment tells whoever watches, beside what its sessions do. */
export interface ExperimentWatcher extends NonNullable<CellContext["watcher"]> {
  /** @param left_s until the end of the queue, where measured cells allow to say so */
  cell?(task: Task, left: { readonly cells: number; readonly left_s: number | undefined }): void;
  cellEnded?(task: Task, outcome: CellOutcome): void;
}

export interface ExperimentOptions {
  readonly dir: string;
  /** Goes on with what is in the folder, instead of beginning. */
  readonly resume: boolean;
  readonly signal: AbortSignal;
  readonly watcher?: ExperimentWatcher;
  /** How a cell is measured. */
  readonly measure?: (rig: Rig, cell: Cell, dir: string, context: CellContext) => Promise<CellOutcome>;
}

export interface ExperimentOutcome {
  readonly dir: string;
  readonly summary: ExperimentSummary;
  readonly interrupted: boolean;
  /** Errors that ended cells in this process, and could not be made good by another try. */
  readonly failures: readonly JoulebenchError[];
  readonly sinkRefused: boolean;
}

/**
 * Measures every cell of a plan once, in its order; a cell whose link was lost once more at the end. What happens is
 * written down before the next thing is begun, so that a killed experiment goes on at the next cell.
 *
 * @throws JoulebenchError `config` when the folder is no place for it, `sink` when progress cannot be written
 */
export async function runExperiment(plan: ExperimentPlan, rig: Rig, options: ExperimentOptions): Promise<ExperimentOutcome> {
  const { dir, resume, signal, watcher = {}, measure = runCell } = options;
  const folder = resume ? ExperimentFolder.resume(dir, plan, rig) : ExperimentFolder.create(dir, plan, rig);
  const queue = new Queue(plan.cells, folder.history);
  const errors = new Map<number, JoulebenchError>();
  let sinkRefused = false;
  try {
    const start = await startOf(plan, rig, folder);
    for (let task = queue.next(); task && !signal.aborted; task = queue.next()) {
      const remaining = queue.remaining();
      const left_s = expected_s(
        remaining.map(({ cell }) => cell),
        folder.history.filter((each): each is CellProgress => each.state !== "begun"),
      );
      watcher.cell?.(task, { cells: remaining.length, left_s });
      const outcome = await measured(task, { folder, queue }, () =>
        measure(rig, task.cell, folder.cellDir(task), { signal, watcher, start }),
      );
      watcher.cellEnded?.(task, outcome);
      sinkRefused ||= outcome.sinkRefused ?? false;
      if (outcome.error) errors.set(task.cell.index, outcome.error);
      else errors.delete(task.cell.index);
      if (outcome.state === "interrupted" || outcome.error?.kind === "sink") break;
    }
  } finally {
    folder.close();
  }
  const summary = summariseExperiment(dir, plan.cells, queue);
  writeJson(join(dir, "summary.json"), summary);
  return { dir, summary, interrupted: signal.aborted, failures: [...errors.values()], sinkRefused };
}

/** One task from its first line to its last. */
async function measured(
  task: Task,
  { folder, queue }: { readonly folder: ExperimentFolder; readonly queue: Queue },
  act: () => Promise<CellOutcome>,
): Promise<CellOutcome> {
  const { index: cell, id, hash } = task.cell;
  const about = { cell, id, hash, attempt: task.attempt };
  const note = (progress: CellProgress): void => {
    folder.append(progress);
    queue.record(progress);
  };
  folder.setAside(task);
  const begun_ms = performance.now();
  note({ state: "started", at: new Date().toISOString(), ...about });
  const outcome = await act();
  const { state, reason, error, conditions, notes } = outcome;
  note({
    // What could not be kept was not measured: a resumed queue does it again.
    state: error?.kind === "sink" ? "interrupted" : state,
    at: new Date().toISOString(),
    ...about,
    ...(reason === undefined ? {} : { reason }),
    ...(error && isLinkLost(error) ? { link_lost: true as const } : {}),
    took_s: Math.round(performance.now() - begun_ms) / 1000,
    ...(conditions ? { conditions } : {}),
    ...(notes ? { notes: [...notes] } : {}),
  });
  return outcome;
}

/** Temperatures before the first cell, where a gate refers to them: read once, and kept for a resumed queue. */
async function startOf({ cells }: ExperimentPlan, rig: Rig, folder: ExperimentFolder): Promise<Temperatures> {
  const kept = folder.history.find((each) => each.state === "begun");
  if (kept) return new Map(Object.entries(kept.temperatures_degc));
  if (!cells.some(({ plan }) => plan.cool_down?.within_degc_of_start !== undefined)) return new Map();
  const temperatures = await onDevice(rig, (device) => device.temperatures());
  folder.append({ state: "begun", at: new Date().toISOString(), temperatures_degc: Object.fromEntries(temperatures) });
  return temperatures;
}
