import type { LoadPulse } from "../model/alignment.ts";
import type { PowerBins } from "./pulse-response.ts";

/** Where a train was found, by the shape of its power alone. */
export interface Sighting {
  /** How much later than claimed, to ten milliseconds, and late by about the time constant of the power. */
  readonly shift_s: number;
  /** Pearson correlation of power and train there. */
  readonly peak: number;
  /** How much lower the correlation is at the best shift that is another one. */
  readonly gap: number;
}

/** Cells of the search: fine against the shortest pulse, coarse enough that 4 s of shifts are 200 000 products. */
const CELL_S = 10e-3;
/** Idle time that belongs to the pattern on either side. */
export const PAD_S = 0.3;
/** Shifts closer than the shortest pulse are the same one. */
const SAME_S = 0.1;
/** A shift is judged only where this much of its power is known. */
const LEAST_COVERAGE = 0.95;

/**
 * Looks for a train of pulses in power, at shifts of up to `reach_s` either way.
 *
 * At each shift only the power around the shifted train counts, so that other work nearby does no harm.
 *
 * @returns undefined where the power covers no shift
 */
export function findTrain(pulses: readonly LoadPulse[], bins: PowerBins, reach_s: number): Sighting | undefined {
  const from_s = pulses[0]!.on_s - PAD_S;
  const pattern = patternOf(pulses, from_s);
  const most = Math.round(reach_s / CELL_S);
  const cells = cellsOf(bins, from_s - most * CELL_S, pattern.length + 2 * most);
  const correlations = Float64Array.from({ length: 2 * most + 1 }, (_, k) => correlation(pattern, cells.subarray(k, k + pattern.length)));
  const at = largest(correlations, () => true);
  if (at === undefined) return undefined;
  const peak = correlations[at]!;
  const other = largest(correlations, (k) => Math.abs(k - at) * CELL_S >= SAME_S);
  return { shift_s: (at - most) * CELL_S, peak, gap: other === undefined ? 0 : peak - Math.max(0, correlations[other]!) };
}

/** Share of each cell during which the train is on. */
function patternOf(pulses: readonly LoadPulse[], from_s: number): Float64Array {
  const pattern = new Float64Array(Math.ceil((pulses.at(-1)!.off_s + PAD_S - from_s) / CELL_S));
  for (const { on_s, off_s } of pulses) spread(pattern, (on_s - from_s) / CELL_S, (off_s - from_s) / CELL_S, 1);
  return pattern;
}

/** Mean power of each cell; NaN where less than half of it is known. */
function cellsOf({ start_s, end_s, mean_w }: PowerBins, from_s: number, count: number): Float64Array {
  const power_w = new Float64Array(count);
  const covered = new Float64Array(count);
  for (let k = 0; k < start_s.length; k++) {
    const [from, to] = [(start_s[k]! - from_s) / CELL_S, (end_s[k]! - from_s) / CELL_S];
    spread(power_w, from, to, mean_w[k]!);
    spread(covered, from, to, 1);
  }
  return power_w.map((sum, cell) => (covered[cell]! < 0.5 ? Number.NaN : sum / covered[cell]!));
}

/** Adds `value` to the cells of [from, to), by the share of each that lies in it. */
function spread(cells: Float64Array, from: number, to: number, value: number): void {
  for (let cell = Math.max(0, Math.floor(from)); cell < Math.min(cells.length, to); cell++)
    cells[cell]! += value * (Math.min(to, cell + 1) - Math.max(from, cell));
}

/** Pearson correlation over the cells that are known; NaN where too few are. */
function correlation(x: Float64Array, y: Float64Array): number {
  let [n, sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < x.length; k++) {
    const [a, b] = [x[k]!, y[k]!];
    if (Number.isNaN(b)) continue;
    n++;
    sx += a;
    sy += b;
    sxx += a * a;
    syy += b * b;
    sxy += a * b;
  }
  if (n < LEAST_COVERAGE * x.length) return Number.NaN;
  const spread_w2 = syy - (sy * sy) / n;
  // Power that never moves correlates with nothing; rounding must not say otherwise.
  if (spread_w2 <= 1e-12 * syy) return 0;
  return (sxy - (sx * sy) / n) / Math.sqrt((sxx - (sx * sx) / n) * spread_w2);
}

/** Index of the largest value that is a number among those that count. */
function largest(values: Float64Array, counts: (index: number) => boolean): number | undefined {
  let found: number | undefined;
  for (let k = 0; k < values.length; k++)
    if (counts(k) && !Number.isNaN(values[k]!) && (found === undefined || values[k]! > values[found]!)) found = k;
  return found;
}
