import { pieceAt, type TimeMap, toSession } from "../model/clock.ts";
import type { ClockStep } from "./steps.ts";

/** What the device said at `tick` of its clock, and when the host heard it. */
export interface Heard {
  readonly tick: number;
  readonly heard_s: number;
}

/** Where a step cuts what was heard: `first` is the index of the first that was said after it. */
export interface Cut extends ClockStep {
  readonly first: number;
}

/**
 * Tells what was said before a step from what was said after it, and narrows down when it was.
 *
 * The channel keeps order: what was heard before the last answer of the old clock was stamped by it, what was heard
 * after the first answer of the new one by that. Between the two a stamp must give a time that is not after it was
 * heard, and not before what is known to come earlier; where both clocks do, the one that makes it less late is
 * taken. Certain ones narrow the step: it lies after the last of the old clock, before the first of the new.
 *
 * @param heard in the order heard
 * @param before map of the old clock; undefined when there is none
 */
export function cutAtStep(
  heard: readonly Heard[],
  step: ClockStep,
  { before, after }: { readonly before: TimeMap | undefined; readonly after: TimeMap | undefined },
): Cut {
  let { from_s, to_s } = step;
  const start = indexOrEnd(heard, (each) => each.heard_s > from_s);
  const end = indexOrEnd(heard, (each) => each.heard_s > step.to_s);
  const fits = (map: TimeMap | undefined, { tick, heard_s }: Heard): boolean => {
    if (!map) return false;
    const { bound_s } = pieceAt(map, tick);
    const at_s = toSession(map, tick);
    return at_s >= from_s - bound_s && at_s <= Math.min(heard_s, to_s) + bound_s;
  };
  let surelyOld = start;
  let surelyNew = end;
  for (let k = start; k < surelyNew; k++) {
    const each = heard[k]!;
    const [isOld, isNew] = [fits(before, each), fits(after, each)];
    if (isOld === isNew) continue;
    if (isOld) {
      surelyOld = k + 1;
      from_s = Math.max(from_s, toSession(before!, each.tick));
    } else {
      surelyNew = k;
      to_s = Math.min(to_s, toSession(after!, each.tick));
    }
  }
  const late_s = (map: TimeMap | undefined, { tick, heard_s }: Heard): number =>
    map ? Math.abs(heard_s - toSession(map, tick)) : Number.POSITIVE_INFINITY;
  const doubtful = heard.slice(surelyOld, surelyNew);
  const first = surelyOld + indexOrEnd(doubtful, (each) => late_s(after, each) < late_s(before, each));
  return { ...step, from_s: Math.min(from_s, to_s), to_s: Math.max(from_s, to_s), first };
}

function indexOrEnd<T>(list: readonly T[], fits: (each: T) => boolean): number {
  const index = list.findIndex(fits);
  return index < 0 ? list.length : index;
}
