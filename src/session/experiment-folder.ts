import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import { canonical } from "../rig/canonical.ts";
import { nameOf } from "../rig/cells.ts";
import type { ExperimentPlan } from "../rig/parse-experiment.ts";
import { Progress, type Task } from "../rig/queue.ts";
import type { Rig } from "../rig/rig.ts";
import { writeJson } from "../store/session-file.ts";
import { VERSION } from "../store/version.ts";
import { differences, flat } from "./provenance.ts";

/** Version of the plan folder; raised when an older joulebench could misread a new one. */
const FORMAT = 1;
/** Differences named in a refusal; the first of them say enough. */
const MOST_NAMED = 8;

/** The folder of an experiment: `plan.json`, `progress.jsonl`, `cells/`, `summary.json`. */
export class ExperimentFolder {
  readonly dir: string;
  /** What happened so far, also in an earlier process. */
  readonly history: Progress[];
  #file: number | undefined;

  private constructor(dir: string, history: readonly Progress[]) {
    this.dir = dir;
    this.history = [...history];
  }

  /** Makes the folder of a new experiment. @throws JoulebenchError `config` when there is one already, `sink` when it cannot be made */
  static create(dir: string, plan: ExperimentPlan, rig: Rig): ExperimentFolder {
    for (const [name, what] of [
      ["plan.json", "an experiment; go on with it by --resume, or"],
      ["session.json", "a session;"],
    ] as const)
      if (existsSync(join(dir, name))) throw new JoulebenchError("config", dir, `already holds ${what} choose another --out`);
    orSink(dir, () => mkdirSync(join(dir, "cells"), { recursive: true }));
    writeJson(join(dir, "plan.json"), contentOf(plan, rig));
    orSink(dir, () => syncFolder(dir));
    return new ExperimentFolder(dir, []);
  }

  /** Opens the folder of an experiment that was begun. @throws JoulebenchError `config` when it is another one, and what differs */
  static resume(dir: string, plan: ExperimentPlan, rig: Rig): ExperimentFolder {
    checkSame(dir, plan, rig);
    return new ExperimentFolder(dir, readProgress(dir));
  }

  cellDir({ cell }: Pick<Task, "cell">): string {
    return join(this.dir, "cells", cell.id);
  }

  /** Appends one line, on disk when this returns. @throws JoulebenchError `sink` */
  append(progress: Progress): void {
    orSink(join(this.dir, "progress.jsonl"), () => {
      this.#file ??= openSync(join(this.dir, "progress.jsonl"), "a");
      writeSync(this.#file, `${JSON.stringify(progress)}\n`);
      fsyncSync(this.#file);
    });
    this.history.push(progress);
  }

  /** Moves what an earlier measurement of the cell left out of the way; it is kept. */
  setAside(task: Task): void {
    const dir = this.cellDir(task);
    if (!existsSync(dir)) return;
    let n = 1;
    while (existsSync(`${dir}.${task.leftOver ?? "interrupted"}-${n}`)) n++;
    orSink(dir, () => renameSync(dir, `${dir}.${task.leftOver ?? "interrupted"}-${n}`));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

const contentOf = ({ content, schedule, files, cells }: ExperimentPlan, rig: Rig) => ({
  format: FORMAT,
  joulebench: VERSION,
  node: process.version,
  seed: schedule.seed,
  plan: content,
  rig,
  files,
  cells: cells.map(nameOf),
});

function checkSame(dir: string, plan: ExperimentPlan, rig: Rig): void {
  const path = join(dir, "plan.json");
  if (!existsSync(path))
    throw new JoulebenchError("config", dir, "holds no plan.json, so there is no experiment to resume; leave --resume out");
  const kept = parseKept(path);
  const now = JSON.parse(JSON.stringify(contentOf(plan, rig))) as typeof kept;
  const changed = (["plan", "rig", "files"] as const).flatMap((part) =>
    canonical(kept[part]) === canonical(now[part]) ? [] : differences([flat(part, kept[part]), flat(part, now[part])]),
  );
  if (changed.length > 0) {
    const named = changed.slice(0, MOST_NAMED).map(({ fact, values: [was, is] }) => `${fact}: was ${brief(was)}, is ${brief(is)}`);
    const more = changed.length > MOST_NAMED ? `; and ${changed.length - MOST_NAMED} more` : "";
    throw new JoulebenchError(
      "config",
      dir,
      `was begun with another plan or rig: ${named.join("; ")}${more}; take a new --out for the new one`,
    );
  }
  if (canonical(kept.cells) !== canonical(now.cells))
    throw new JoulebenchError(
      "config",
      dir,
      `was begun by joulebench ${String(kept.joulebench)}, which makes other cells of the same plan; go on with that version`,
    );
}

const brief = (text = ""): string => (text === "" ? "absent" : text.length > 40 ? `${text.slice(0, 40)}…` : text);

function parseKept(path: string): Record<string, unknown> {
  let kept: unknown;
  try {
    kept = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new JoulebenchError("config", path, "is not whole JSON: it was edited, or only a part of it was copied", { cause });
  }
  const content = typeof kept === "object" && kept !== null ? (kept as Record<string, unknown>) : {};
  if (content.format !== FORMAT)
    throw new JoulebenchError("config", path, `has format ${String(content.format)}, and this joulebench reads ${FORMAT}`);
  return content;
}

/** The lines so far; one that was cut off when the process was killed is taken away, so that the next stands alone. */
function readProgress(dir: string): Progress[] {
  const path = join(dir, "progress.jsonl");
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (whole < bytes.length) orSink(path, () => truncateSync(path, whole));
  const lines = bytes.subarray(0, whole).toString("utf8").split("\n").slice(0, -1);
  return lines.map((line, i) => {
    try {
      return Progress.parse(JSON.parse(line));
    } catch (cause) {
      throw new JoulebenchError("config", path, `line ${i + 1} is damaged: it was edited, or the disk is; restore it from a copy`, {
        cause,
      });
    }
  });
}

/** A rename is on disk when its folder is. */
function syncFolder(dir: string): void {
  const handle = openSync(dir, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function orSink<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new JoulebenchError("sink", path, `cannot be written (${cause instanceof Error ? cause.message : cause})`, { cause });
  }
}
