import { BIN_BYTES, type Bin, binAt, FACTOR, LEVELS, LevelReader, levelPath, widthOf } from "./pyramid-level.ts";

/** What a plot needs: one entry per stretch of time. `n` of 0 is a gap, whose values are NaN: never a line drawn through it. */
export interface Zoomed {
  /** Start of each stretch, session seconds. */
  readonly t_s: Float64Array;
  readonly min: Float64Array;
  readonly mean: Float64Array;
  readonly max: Float64Array;
  readonly n: Float64Array;
  /** Length of a stretch; 0 where every entry is a sample. */
  readonly width_s: number;
}

/** Stretches read at least for each one shown, where there are as many: the more, the closer to the pixels asked for. */
const BINS_PER_PIXEL = 4;

/** The pyramid of one column, open for reading; also while it is written. */
export class PyramidReader {
  readonly #levels: readonly (LevelReader | undefined)[];

  /** @param base path of the files without level and ending */
  constructor(base: string) {
    this.#levels = Array.from({ length: LEVELS }, (_, level) => LevelReader.open(levelPath(base, level)));
  }

  /** Session times of the first and the last bin's edges; undefined without bins. */
  get span_s(): readonly [number, number] | undefined {
    const lowest = this.#levels[0];
    return lowest && lowest.end > lowest.first ? [lowest.first * widthOf(0), lowest.end * widthOf(0)] : undefined;
  }

  /** At most about `pixels` stretches that cover [start_s, end_s), each made of whole bins of one level. */
  zoom(start_s: number, end_s: number, pixels: number): Zoomed {
    const pixel_s = (end_s - start_s) / pixels;
    let level = 0;
    while (level + 1 < LEVELS && widthOf(level + 1) * BINS_PER_PIXEL <= pixel_s) level++;
    const bin_s = widthOf(level);
    const each = Math.max(1, Math.ceil(pixel_s / bin_s - 1e-9));
    const first = Math.floor(start_s / bin_s / each);
    const count = Math.max(0, Math.ceil(end_s / bin_s / each - 1e-9) - first);
    const bins = this.read(level, first * each, (first + count) * each);
    return gathered(bins, { count, each, start_s: first * each * bin_s, width_s: each * bin_s });
  }

  /** Records of bins [from, to); zeros where nothing was measured or is not complete yet. */
  read(level: number, from: number, to: number): DataView {
    const records = new DataView(new ArrayBuffer((to - from) * BIN_BYTES));
    const file = this.#levels[level];
    const begin = file ? Math.min(to, Math.max(from, file.first)) : from;
    const end = file ? Math.max(begin, Math.min(to, file.end)) : from;
    if (file && end > begin) bytesOf(records).set(bytesOf(file.read(begin, end)), (begin - from) * BIN_BYTES);
    // What a level has not yet, because its last bin is still growing or the file was torn, the one below has.
    if (level > 0 && end < to) this.#fromBelow(level, { from, begin: end, end: to }, records);
    return records;
  }

  close(): void {
    for (const each of this.#levels) each?.close();
  }

  #fromBelow(level: number, { from, begin, end }: { from: number; begin: number; end: number }, records: DataView): void {
    const lowest = this.#levels[0];
    if (!lowest) return;
    const first = Math.max(begin, Math.floor(lowest.first / FACTOR ** level));
    const last = Math.min(end, Math.ceil(lowest.end / FACTOR ** level));
    if (last <= first) return;
    const bins = this.read(level - 1, first * FACTOR, last * FACTOR);
    for (let k = 0; k < last - first; k++) {
      const { min, mean, max, n } = joined(bins, k * FACTOR, (k + 1) * FACTOR);
      if (n === 0) continue;
      const at = (first + k - from) * BIN_BYTES;
      records.setFloat32(at, min, true);
      records.setFloat32(at + 4, mean, true);
      records.setFloat32(at + 8, max, true);
      records.setUint32(at + 12, n, true);
    }
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: DataView): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** Several bins as one; all NaN without a sample. */
export function joined(bins: DataView, from: number, to: number): Bin {
  let [min, max, sum, n] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (let k = from; k < to; k++) {
    const bin = binAt(bins, k);
    if (bin.n === 0) continue;
    min = Math.min(min, bin.min);
    max = Math.max(max, bin.max);
    sum += bin.mean * bin.n;
    n += bin.n;
  }
  return n === 0 ? { min: Number.NaN, mean: Number.NaN, max: Number.NaN, n } : { min, mean: sum / n, max, n };
}

interface Grid {
  readonly count: number;
  readonly each: number;
  readonly start_s: number;
  readonly width_s: number;
}

function gathered(bins: DataView, { count, each, start_s, width_s }: Grid): Zoomed {
  const columns = emptyZoom(count, width_s);
  for (let k = 0; k < count; k++) {
    const { min, mean, max, n } = joined(bins, k * each, (k + 1) * each);
    columns.t_s[k] = start_s + k * width_s;
    columns.min[k] = min;
    columns.mean[k] = mean;
    columns.max[k] = max;
    columns.n[k] = n;
  }
  return columns;
}

export const emptyZoom = (count: number, width_s: number): Zoomed => ({
  t_s: new Float64Array(count),
  min: new Float64Array(count),
  mean: new Float64Array(count),
  max: new Float64Array(count),
  n: new Float64Array(count),
  width_s,
});
