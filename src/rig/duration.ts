import type { Cell } from "./cells.ts";
import type { CellProgress } from "./queue.ts";
import type { Rig } from "./rig.ts";

/** How long something takes, s: at least what the plan spends waiting, at most what it allows the work. */
export interface Span {
  readonly least_s: number;
  readonly most_s: number;
}

/** A cell by its plan alone. Cool-down is in neither end but for the time it must hold: nobody knows how warm it will be. */
export function plannedSpan({ session, plan }: Cell, rig: Rig): Span {
  const rests = Math.max(0, (session.requests ?? 1) - 1) * plan.pause_s;
  const waiting = session.baseline_s + session.settle_s + session.after_s + (plan.cool_down?.hold_s ?? 0);
  const pauses = plan.workload.kind === "device" ? 0 : rests + plan.warm_up * plan.pause_s;
  // Without a device nothing ends the work but its time.
  const least = rig.device ? pauses : session.timeout_s;
  return { least_s: waiting + least, most_s: waiting + session.timeout_s };
}

/**
 * What the cells still to be measured take: as long as others of the same parameters took, else as others on average
 * took, else unknown.
 */
export function expected_s(cells: readonly Cell[], history: readonly CellProgress[]): number | undefined {
  const measured = history.flatMap(({ hash, took_s, state }) =>
    state !== "interrupted" && took_s !== undefined ? [{ hash, took_s }] : [],
  );
  if (measured.length === 0) return undefined;
  const mean = (values: readonly { took_s: number }[]): number => values.reduce((sum, each) => sum + each.took_s, 0) / values.length;
  const overall = mean(measured);
  const byHash = new Map<string, number>();
  for (const { hash } of measured) if (!byHash.has(hash)) byHash.set(hash, mean(measured.filter((each) => each.hash === hash)));
  return cells.reduce((sum, { hash }) => sum + (byHash.get(hash) ?? overall), 0);
}
