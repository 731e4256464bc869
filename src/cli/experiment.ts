import { basename, join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import { nameOf } from "../rig/cells.ts";
import { plannedSpan } from "../rig/duration.ts";
import type { ExperimentPlan } from "../rig/parse-experiment.ts";
import type { Rig } from "../rig/rig.ts";
import { type ExperimentOutcome, runExperiment } from "../session/experiment.ts";
import type { ExperimentSummary } from "../session/experiment-summary.ts";
import { lockRig } from "../session/rig-lock.ts";
import { EXIT, exitOfError } from "./exit.ts";
import { experimentProgress } from "./experiment-progress.ts";
import { experimentTable } from "./experiment-table.ts";
import { clockTime, printable, table } from "./format.ts";
import { interruptSignal } from "./interrupt.ts";
import { keepTraces } from "./keep-trace.ts";

interface ExperimentCommand {
  readonly rigPath: string;
  readonly rig: Rig;
  readonly plan: ExperimentPlan;
  readonly out: string | undefined;
  readonly resume: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Measures all cells of a plan, or says which they would be. @returns the exit code */
export async function experimentCommand({ rigPath, rig, plan, resume, dryRun, json, ...given }: ExperimentCommand): Promise<number> {
  if (dryRun) return describe(plan, rig, json);
  if (resume && given.out === undefined)
    throw new JoulebenchError("config", plan.path, "which folder is to be resumed? Name it: --resume DIR");
  const dir = given.out ?? newFolder(rig, plan);
  const release = lockRig(rigPath, dir);
  const watcher = experimentProgress(plan.cells.length);
  const outcome = await runExperiment(plan, rig, { dir, resume, signal: interruptSignal(), watcher }).finally(() => {
    watcher.end();
    release();
  });
  process.stdout.write(json ? `${JSON.stringify(outcome.summary, null, 1)}\n` : `${experimentTable(outcome.summary)}\n`);
  process.stderr.write(`experiment kept in ${dir}\n`);
  if (outcome.interrupted) process.stderr.write(`go on with it: joulebench run ${rigPath} --plan ${plan.path} --resume ${dir}\n`);
  for (const { message } of outcome.failures) process.stderr.write(`joulebench: ${printable(message)}\n`);
  if (!outcome.interrupted) await keepTraces(dir);
  return exitOf(outcome);
}

function newFolder({ name }: Rig, { path }: ExperimentPlan): string {
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return join("sessions", `${stamp}-${name}-${basename(path).replace(/\.\w+$/, "")}`);
}

function exitOf({ interrupted, failures, sinkRefused, summary }: ExperimentOutcome): number {
  if (interrupted) return EXIT.interrupted;
  const codes = failures.map(({ kind }) => exitOfError(kind));
  if (codes.length > 0 || sinkRefused) return Math.max(...codes, sinkRefused ? EXIT.sink : 0);
  return exitOfSummary(summary);
}

const exitOfSummary = ({ unmeasured }: ExperimentSummary): number => {
  if (unmeasured.length === 0) return EXIT.valid;
  return unmeasured.some(({ state }) => state === "failed") ? EXIT.link : EXIT.invalid;
};

/** `--dry-run`: the queue as it would be measured, and how long it takes. */
function describe({ cells, path }: ExperimentPlan, rig: Rig, json: boolean): number {
  const spans = cells.map((each) => plannedSpan(each, rig));
  if (json) {
    const queue = cells.map((cell, i) => ({ ...nameOf(cell), ...spans[i]! }));
    process.stdout.write(`${JSON.stringify({ format: 1, plan: path, rig: rig.name, cells: queue }, null, 1)}\n`);
    return EXIT.valid;
  }
  const total = (of: (span: (typeof spans)[number]) => number): string => clockTime(spans.reduce((sum, each) => sum + of(each), 0));
  const lines = [
    `${path} on ${rig.name}: ${cells.length} ${cells.length === 1 ? "cell" : "cells"}, in this order:`,
    table(cells.map(({ id, hash }, i) => [id, hash, `${clockTime(spans[i]!.least_s)} and the work`])),
    `At least ${total(({ least_s }) => least_s)} and the work; at most ${total(({ most_s }) => most_s)}, if each work took its timeout_s.`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return EXIT.valid;
}
