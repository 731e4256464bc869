import { BASE_S, type Bin, binAt, FACTOR, LEVELS, LevelReader, LevelWriter, levelPath } from "./pyramid-level.ts";

/** A bin that samples are still coming for. */
interface Open {
  readonly number: number;
  min: number;
  max: number;
  sum: number;
  n: number;
}

/**
 * The pyramid of one column: least, mean and largest value and number of samples in bins of several widths.
 *
 * Every level only grows, so a reader may look while it is written. A pyramid that was cut off anywhere goes on where
 * its lowest level ends: half records are cut off, and the levels above are made up from those below.
 */
export class PyramidWriter {
  readonly #levels: readonly LevelWriter[];
  readonly #open: (Open | undefined)[];

  /** @param base path of the files without level and ending */
  constructor(base: string) {
    let limit = Number.POSITIVE_INFINITY;
    this.#levels = Array.from({ length: LEVELS }, (_, level) => {
      const writer = new LevelWriter(base, level, limit);
      limit = Math.floor((writer.next ?? Number.NEGATIVE_INFINITY) / FACTOR);
      return writer;
    });
    this.#open = this.#levels.map(() => undefined);
    // From the top, for what a level completes goes on to the one above.
    for (let level = LEVELS - 1; level > 0; level--) this.#catchUp(base, level);
  }

  /**
   * Adds samples in order of time. One earlier than the bin at hand, as where two clocks overlap, counts into that bin;
   * NaN is no sample.
   *
   * @param at_s session time each sample belongs to: the middle of its interval, or its instant
   */
  add(at_s: Float64Array, values: Float64Array): void {
    const least = this.#levels[0]!.next ?? Number.NEGATIVE_INFINITY;
    let open = this.#open[0];
    for (let k = 0; k < values.length; k++) {
      const value = values[k]!;
      if (!Number.isFinite(value)) continue;
      const number = Math.floor(at_s[k]! / BASE_S);
      if (!open || number > open.number) {
        if (!open && number < least) continue;
        if (open) this.#finish(0, open);
        open = { number, min: value, max: value, sum: 0, n: 0 };
        this.#open[0] = open;
      }
      if (value < open.min) open.min = value;
      if (value > open.max) open.max = value;
      open.sum += value;
      open.n++;
    }
  }

  /** Shows readers what is complete. */
  flush(): void {
    for (const each of this.#levels) each.flush();
  }

  /** Completes the last bins and keeps all. A closed pyramid does not go on. */
  close(): void {
    for (const [level] of this.#levels.entries()) {
      const open = this.#open[level];
      if (open) this.#finish(level, open);
      this.#levels[level]!.close();
    }
  }

  #finish(level: number, { number, min, max, sum, n }: Open): void {
    const bin = { min, mean: sum / n, max, n };
    this.#levels[level]!.append(number, bin);
    if (level + 1 < LEVELS) this.#include(level + 1, Math.floor(number / FACTOR), bin);
  }

  #include(level: number, number: number, { min, mean, max, n }: Bin): void {
    const open = this.#open[level];
    if (open?.number === number) {
      open.min = Math.min(open.min, min);
      open.max = Math.max(open.max, max);
      open.sum += mean * n;
      open.n += n;
      return;
    }
    if (open) this.#finish(level, open);
    this.#open[level] = { number, min, max, sum: mean * n, n };
  }

  /** Takes into a level what the one below has and it has not. */
  #catchUp(base: string, level: number): void {
    const below = LevelReader.open(levelPath(base, level - 1));
    if (!below) return;
    const from = Math.max(below.first, (this.#levels[level]!.next ?? Number.NEGATIVE_INFINITY) * FACTOR);
    const records = below.read(from, below.end);
    for (let k = 0; from + k < below.end; k++) {
      const bin = binAt(records, k);
      if (bin.n > 0) this.#include(level, Math.floor((from + k) / FACTOR), bin);
    }
    below.close();
  }
}
