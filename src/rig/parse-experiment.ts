import { engines } from "../engines/index.ts";
import type { EngineKind } from "../model/engine.ts";
import { combinations, countOf, MOST_CELLS, misplacedAxes, placed } from "./axes.ts";
import { type Cell, cellsOf } from "./cells.ts";
import { Schedule } from "./experiment.ts";
import type { WorkloadFile } from "./items.ts";
import { orderOf } from "./order.ts";
import { type Problem, parseYaml, problemError, problemsOf, type Source } from "./problems.ts";
import { type Resolved, resolve } from "./resolve.ts";
import type { Rig } from "./rig.ts";

/** A plan unfolded: its cells in the order in which they are measured. */
export interface ExperimentPlan {
  readonly path: string;
  /** The plan as it stands in its file. */
  readonly content: Readonly<Record<string, unknown>>;
  readonly schedule: Schedule;
  readonly cells: readonly Cell[];
  /** Workload files, by the name the plan gives them. */
  readonly files: Readonly<Record<string, WorkloadFile>>;
}

const SCHEDULE_KEYS = new Set(Object.keys(Schedule.shape));

/**
 * Unfolds a plan file on a rig. Nothing is opened but the workload's files.
 *
 * @param known engines a plan may name
 * @throws JoulebenchError `config` with every problem of the file, and of every cell it would make, each with its line
 */
export function parseExperiment(text: string, path: string, rig: Rig, known: readonly EngineKind[] = engines): ExperimentPlan {
  const source = parseYaml(text, path);
  const content = contentOf(source, path);
  const [given, base] = split(content);
  const schedule = Schedule.safeParse(given, { reportInput: true });
  const axes = Schedule.shape.axes.safeParse(given.axes);
  const problems: Problem[] = schedule.success ? [] : problemsOf(schedule.error);
  const files = new Map<string, WorkloadFile>();
  const resolved: Resolved[] = [];
  const usable = axes.success ? [...misplacedAxes(base, axes.data), ...reserved(axes.data), ...tooMany(axes.data, schedule.data)] : [];
  problems.push(...usable);
  if (axes.success && usable.length === 0)
    for (const combination of combinations(axes.data)) {
      const outcome = resolve(base, combination, { path, rig, engines: known, files });
      if ("resolved" in outcome) resolved.push(outcome.resolved);
      else problems.push(...outcome.problems.map((each) => placed(each, base, combination)));
    }
  if (problems.length > 0 || !schedule.success) throw problemError(path, source, distinct(problems));
  const cells = cellsOf(resolved, orderOf(resolved.length, schedule.data));
  return { path, content, schedule: schedule.data, cells, files: Object.fromEntries(files) };
}

function contentOf(source: Source, path: string): Readonly<Record<string, unknown>> {
  const value = source.value ?? {};
  if (typeof value !== "object" || Array.isArray(value))
    throw problemError(path, source, [{ path: [], message: "expected keys and their values" }]);
  return value as Readonly<Record<string, unknown>>;
}

/** Keys about the making of cells, and those about each cell. */
function split(content: Readonly<Record<string, unknown>>): [Record<string, unknown>, Record<string, unknown>] {
  const part = (isSchedule: boolean): Record<string, unknown> =>
    Object.fromEntries(Object.entries(content).filter(([key]) => SCHEDULE_KEYS.has(key) === isSchedule));
  return [part(true), part(false)];
}

const reserved = (axes: Readonly<Record<string, unknown>>): Problem[] =>
  Object.keys(axes)
    .filter((axis) => SCHEDULE_KEYS.has(axis.split(".")[0]!))
    .map((axis) => ({ path: ["axes", axis], message: "says how cells are made, so it cannot differ between them" }));

function tooMany(axes: Readonly<Record<string, readonly unknown[]>>, schedule: Schedule | undefined): Problem[] {
  const count = countOf(axes) * (schedule?.repetitions ?? 1);
  return count > MOST_CELLS ? [{ path: ["axes"], message: `make ${count} cells; at most ${MOST_CELLS} are measured with one plan` }] : [];
}

/** What many cells have in common is said once. */
function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Map(problems.map((each) => [JSON.stringify([each.path.map(String), each.message]), each]));
  return [...seen.values()];
}
