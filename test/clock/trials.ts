import { pieceAt, type TimeMap, toSession } from "../../src/model/clock.ts";
import type { Oscillator } from "../../src/simulate/oscillator.ts";

/** How far a map is from the truth, and whether it said so. */
export interface Errors {
  /** Largest error, seconds. */
  readonly max_s: number;
  /** Parts of the instants at which the error was within the hard bound and within two standard uncertainties. */
  readonly inBound: number;
  readonly in2u: number;
  /** Largest standard uncertainty, seconds. */
  readonly u_s: number;
}

const INSTANTS = 1000;

/** Compares a map with the oscillator it was fitted to; session time is true time. */
export function compare(map: TimeMap, clock: Oscillator, nominal_hz: number, [from_s, to_s]: readonly [number, number]): Errors {
  let max_s = 0;
  let inBound = 0;
  let in2u = 0;
  for (let k = 0; k < INSTANTS; k++) {
    const true_s = from_s + ((to_s - from_s) * k) / (INSTANTS - 1);
    const tick = clock.reading_s(true_s) * nominal_hz;
    const error_s = Math.abs(toSession(map, tick) - true_s);
    const { u_s, bound_s } = pieceAt(map, tick);
    max_s = Math.max(max_s, error_s);
    if (error_s <= bound_s) inBound++;
    if (error_s <= 2 * u_s) in2u++;
  }
  return { max_s, inBound: inBound / INSTANTS, in2u: in2u / INSTANTS, u_s: Math.max(...map.pieces.map((p) => p.u_s)) };
}

export const SEEDS = Array.from({ length: 50 }, (_, k) => k + 1);

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** The value that 95 of 100 do not exceed. */
export const p95 = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1]!;
