import { seeded } from "../simulate/random.ts";
import type { Schedule } from "./experiment.ts";

/** One place in the queue: which combination, and its how-manieth repetition from 1. */
export interface Place {
  readonly combination: number;
  readonly repetition: number;
}

/**
 * The order in which cells are measured; a function of the numbers alone, so that a plan gives the same order
 * anywhere. `given`: all combinations in the order of the axes, again for every repetition. `random`: a Fisher-Yates
 * shuffle of everything, or with `blocks` of each repetition by itself.
 */
export function orderOf(combinations: number, { repetitions, order, seed, blocks }: Schedule): Place[] {
  const rounds = Array.from({ length: repetitions }, (_, round) =>
    Array.from({ length: combinations }, (__, combination): Place => ({ combination, repetition: round + 1 })),
  );
  if (order === "given") return rounds.flat();
  const random = seeded(seed);
  return blocks ? rounds.flatMap((round) => shuffled(round, random)) : shuffled(rounds.flat(), random);
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const made = [...values];
  for (let last = made.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [made[last], made[other]] = [made[other]!, made[last]!];
  }
  return made;
}
