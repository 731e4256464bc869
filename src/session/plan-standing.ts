import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Results } from "../model/results.ts";

/** Where a plan stands, by what its folder says: the same after a kill, another daemon or another boot. */
export interface Standing {
  /** An experiment was begun there, which can be resumed. */
  readonly resumable: boolean;
  /** Something was begun there that cannot be resumed. */
  readonly session: boolean;
  readonly cells: number;
  /** Cells that had their turn. */
  readonly ended: number;
  /** Cells that were measured, valid or not. */
  readonly measured: number;
  readonly complete: boolean;
  readonly valid?: boolean;
  readonly reason?: string;
  readonly energy_per_token_j?: number;
}

interface Line {
  readonly state: string;
  readonly cell?: number;
  readonly id?: string;
  readonly attempt?: number;
  readonly reason?: string;
  readonly link_lost?: true;
}

/** Reads where the plan in `dir` stands; a damaged file counts as one that is not there. */
export function standingOf(dir: string): Standing {
  const plan = readJson<{ cells: unknown[] }>(join(dir, "plan.json"));
  if (plan) return standingOfExperiment(dir, plan.cells.length);
  const session = readJson<{ state: string }>(join(dir, "session.json"));
  const results = readJson<Results>(join(dir, "results.json"));
  const complete = session?.state === "closed" && results !== undefined;
  const count = complete ? 1 : 0;
  return {
    ...{ resumable: false, session: existsSync(dir), cells: 1, ended: count, measured: count, complete },
    ...(results ? judged(results) : {}),
  };
}

function standingOfExperiment(dir: string, cells: number): Standing {
  const last = new Map<number, Line>();
  const lines = readLines(join(dir, "progress.jsonl"));
  for (const line of lines) if (line.cell !== undefined) last.set(line.cell, line);
  // As the queue has it: a cell whose link was lost has a second turn.
  const ended = [...last.values()].filter(
    ({ state, link_lost, attempt = 1 }) => state !== "started" && state !== "interrupted" && !(link_lost && attempt < 2),
  );
  const latest = lines.findLast(({ state }) => state === "done" || state === "invalid" || state === "failed");
  const results = latest?.id === undefined ? undefined : readJson<Results>(join(dir, "cells", latest.id, "results.json"));
  return {
    ...{ resumable: true, session: false, cells, ended: ended.length, complete: ended.length === cells },
    measured: ended.filter(({ state }) => state !== "failed").length,
    ...(results ? judged(results) : {}),
    ...(latest ? { valid: latest.state === "done" } : {}),
    ...(latest?.reason === undefined ? {} : { reason: latest.reason }),
  };
}

function judged({ validity, summary }: Results): Pick<Standing, "valid" | "reason" | "energy_per_token_j"> {
  const failed = validity.filter((each) => !each.pass && each.level === "FAIL");
  const energy = summary.decode_energy_per_token?.value;
  return {
    valid: failed.length === 0,
    ...(failed.length > 0 ? { reason: failed.map(({ rule, detail }) => `${rule} (${detail})`).join("; ") } : {}),
    ...(energy === undefined ? {} : { energy_per_token_j: energy }),
  };
}

/** When anything was last written to a tape below `dir`, Unix seconds: what was heard later is lost. */
export function lastKept_s(dir: string): number | undefined {
  const cells = join(dir, "cells");
  const sessions = existsSync(cells) ? readdirSync(cells).map((name) => join(cells, name)) : [dir];
  const times = sessions.flatMap((session) => {
    const tape = join(session, "tape");
    return existsSync(tape) ? readdirSync(tape).map((name) => statSync(join(tape, name)).mtimeMs / 1000) : [];
  });
  return times.length > 0 ? Math.max(...times) : undefined;
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch {
    return undefined;
  }
}

function readLines(path: string): Line[] {
  if (!existsSync(path)) return [];
  const whole = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return whole.flatMap((line) => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });
}
