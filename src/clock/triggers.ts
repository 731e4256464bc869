import type { TriggerAlignment } from "../model/alignment.ts";

/** A change of a line at an instant of session time. */
export interface LineEdge {
  readonly at_s: number;
  readonly level: 0 | 1;
}

/** Largest offset that is looked for, and how far pairs of edges may be from the commonest offset. */
const REACH_S = 2;
const TOGETHER_S = 5e-3;
/** Fewer pairs than this may have met by chance. */
const FEWEST_PAIRS = 3;

/**
 * Pairs the edges a device says it made with those its power monitor saw, by the offset most of them have in common.
 *
 * Of offsets that are as common, the smallest is taken: evenly spaced edges fit at many.
 *
 * @param stated and `seen` each in order of time
 */
export function alignTriggers(stated: readonly LineEdge[], seen: readonly LineEdge[]): TriggerAlignment {
  const at_s = stated.length === 0 ? 0 : (stated[0]!.at_s + stated.at(-1)!.at_s) / 2;
  const nothing = { kind: "trigger", at_s, found: false, offset_s: null, u_s: null, sd_s: null } as const;
  const offset_s = commonest(offsets(stated, seen));
  const pairs_s = offset_s === undefined ? [] : paired(stated, seen, offset_s);
  const count = pairs_s.length;
  if (count < FEWEST_PAIRS || count < stated.length / 2)
    return { ...nothing, count, reason: `${count} of ${stated.length} stated edges were seen, ${seen.length} in all` };
  const mean_s = pairs_s.reduce((sum, each) => sum + each, 0) / count;
  const sd_s = Math.sqrt(pairs_s.reduce((sum, each) => sum + (each - mean_s) ** 2, 0) / (count - 1));
  return { kind: "trigger", at_s, found: true, offset_s: mean_s, u_s: sd_s / Math.sqrt(count), sd_s, count };
}

/** Every offset within reach between a stated edge and a seen one of the same level, ascending. */
function offsets(stated: readonly LineEdge[], seen: readonly LineEdge[]): number[] {
  const found: number[] = [];
  let from = 0;
  for (const { at_s, level } of stated) {
    while (from < seen.length && seen[from]!.at_s < at_s - REACH_S) from++;
    for (let k = from; k < seen.length && seen[k]!.at_s <= at_s + REACH_S; k++)
      if (seen[k]!.level === level) found.push(seen[k]!.at_s - at_s);
  }
  return found.sort((a, b) => a - b);
}

/** Middle of the stretch of {@link TOGETHER_S} that holds most offsets. */
function commonest(sorted: readonly number[]): number | undefined {
  let best: { readonly count: number; readonly middle: number } | undefined;
  let to = 0;
  for (let from = 0; from < sorted.length; from++) {
    while (to < sorted.length && sorted[to]! - sorted[from]! <= TOGETHER_S) to++;
    const count = to - from;
    const middle = sorted[from + (count >> 1)]!;
    if (!best || count > best.count || (count === best.count && Math.abs(middle) < Math.abs(best.middle))) best = { count, middle };
  }
  return best?.middle;
}

/** How late each stated edge was seen, of those that were seen close to `offset_s` late; no edge is used twice. */
function paired(stated: readonly LineEdge[], seen: readonly LineEdge[], offset_s: number): number[] {
  const late_s: number[] = [];
  let next = 0;
  for (const { at_s, level } of stated) {
    const expected_s = at_s + offset_s;
    while (next < seen.length && seen[next]!.at_s < expected_s - TOGETHER_S) next++;
    let k = next;
    while (k < seen.length && seen[k]!.level !== level && seen[k]!.at_s <= expected_s + TOGETHER_S) k++;
    const edge = seen[k];
    if (!edge || edge.at_s > expected_s + TOGETHER_S) continue;
    late_s.push(edge.at_s - at_s);
    next = k + 1;
  }
  return late_s;
}
