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
  const byHash = new Map<string, { sum_s: number; count: number }>();
  const all = { sum_s: 0, count: 0 };
  for (const { hash, took_s, state } of history) {
    if (state === "interrupted" || took_s === undefined) continue;
    const own = byHash.get(hash) ?? { sum_s: 0, count: 0 };
    byHash.set(hash, own);
    for (const each of [own, all]) {
      each.sum_s += took_s;
      each.count++;
    }
  }
  if (all.count === 0) return undefined;
  return cells.reduce((total, { hash }) => {
    const { sum_s, count } = byHash.get(hash) ?? all;
    return total + sum_s / count;
  }, 0);
}
