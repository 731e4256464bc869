import { AppendFile } from "./append-file.ts";
import { encodeEnd, encodeStretch, LISTED_SAMPLES, SAMPLES, stepOf } from "./energy-record.ts";
import { sameTime_s } from "./trace-batch.ts";

/** Where the seconds' file begins to count: its first 8 bytes, f64. Each second has a u32, the record to look in. */
export const SECONDS_HEAD = 8;

export const recordsPath = (base: string): string => `${base}.bin`;
export const secondsPath = (base: string): string => `${base}.seconds.bin`;

/** Seconds without a sample are written in pieces of this many. */
const PIECE = 4096;

/**
 * Writes the energy of one channel as it accumulates: records of samples with the energy before them, and for every
 * whole second the first record that reaches beyond it.
 *
 * The energies are those of the metrics: power is constant over an interval of a mean and linear between two instants,
 * and nothing flows in a gap. They are added up exactly, whatever the records keep of single samples.
 */
export class EnergyWriter {
  readonly #records: AppendFile;
  readonly #seconds: AppendFile;
  readonly #ends_s = new Float64Array(SAMPLES);
  readonly #mean_w = new Float64Array(SAMPLES);
  readonly #end_w = new Float64Array(SAMPLES);
  #count = 0;
  #start_s = Number.NaN;
  #start_w = Number.NaN;
  #end_s = Number.NaN;
  #lastPower_w = Number.NaN;
  #nextSecond = Number.NaN;
  #written = 0;
  readonly #energy_j = new Total();
  readonly #covered_s = new Total();

  /** @param base path of the two files without ending */
  constructor(base: string) {
    this.#records = new AppendFile(recordsPath(base), "wx");
    this.#seconds = new AppendFile(secondsPath(base), "wx");
  }

  /**
   * Adds samples in order of time; one that stands for no time, or whose power is NaN, is a gap's end.
   *
   * @param isPoint powers are those at `times_s`, and linear in between
   */
  add(times_s: Float64Array, lengths_s: Float64Array, power_w: Float64Array, isPoint: boolean): void {
    for (let k = 0; k < times_s.length; k++) {
      const [end_w, length_s, end_s] = [power_w[k]!, lengths_s[k]!, times_s[k]!];
      const before_w = this.#lastPower_w;
      this.#lastPower_w = end_w;
      const mean_w = isPoint ? (before_w + end_w) / 2 : end_w;
      if (!(length_s > 0) || !Number.isFinite(mean_w)) continue;
      const start_s = end_s - length_s;
      const follows = Math.abs(start_s - this.#end_s) < sameTime_s(end_s);
      if (this.#count === SAMPLES || !follows) this.#complete();
      if (this.#count === 0) {
        this.#start_s = follows ? this.#end_s : start_s;
        this.#start_w = isPoint ? before_w : Number.NaN;
      }
      this.#ends_s[this.#count] = (this.#count === 0 ? 0 : this.#ends_s[this.#count - 1]!) + length_s;
      this.#mean_w[this.#count] = mean_w;
      this.#end_w[this.#count] = end_w;
      this.#count++;
      this.#end_s = end_s;
    }
  }

  /** Shows readers what is complete. */
  flush(): void {
    this.#records.flush();
    this.#seconds.flush();
  }

  /** Completes the last record, ends the file and keeps it. */
  close(): void {
    this.#complete();
    if (this.#written > 0) {
      this.#reach(this.#end_s + 1);
      this.#records.append(encodeEnd(this.#end_s, this.#energy_j.value, this.#covered_s.value));
    }
    this.#records.close();
    this.#seconds.close();
  }

  #complete(): void {
    if (this.#count === 0) return;
    const step_s = stepOf(this.#ends_s.subarray(0, this.#count));
    const most = step_s > 0 ? SAMPLES : LISTED_SAMPLES;
    for (let from = 0; from < this.#count; from += most) this.#write(from, Math.min(this.#count, from + most), step_s);
    this.#count = 0;
  }

  #write(from: number, to: number, step_s: number): void {
    const begin_s = from === 0 ? 0 : this.#ends_s[from - 1]!;
    const start_s = this.#start_s + begin_s;
    const ends_s = this.#ends_s.slice(from, to).map((each) => each - begin_s);
    const mean_w = this.#mean_w.slice(from, to);
    const isPoint = !Number.isNaN(this.#start_w);
    const start_w = from === 0 ? this.#start_w : this.#end_w[from - 1]!;
    this.#reach(start_s + ends_s.at(-1)!);
    const before = { energyBefore_j: this.#energy_j.value, coveredBefore_s: this.#covered_s.value };
    const points = isPoint ? { points: { start_w, end_w: this.#end_w.slice(from, to) } } : {};
    this.#records.append(encodeStretch({ start_s, ends_s, mean_w, ...points, ...before }, step_s));
    this.#written++;
    let sum_j = 0;
    for (let k = 0; k < mean_w.length; k++) sum_j += mean_w[k]! * (ends_s[k]! - (k === 0 ? 0 : ends_s[k - 1]!));
    this.#energy_j.add(sum_j);
    this.#covered_s.add(ends_s.at(-1)!);
  }

  /** The seconds up to `end_s` that no earlier record reaches beyond: the next record is theirs. */
  #reach(end_s: number): void {
    if (Number.isNaN(this.#nextSecond)) {
      this.#nextSecond = Math.floor(this.#start_s);
      const head = new DataView(new ArrayBuffer(SECONDS_HEAD));
      head.setFloat64(0, this.#nextSecond, true);
      this.#seconds.append(new Uint8Array(head.buffer));
    }
    while (this.#nextSecond < end_s) {
      const count = Math.min(PIECE, Math.ceil(end_s - this.#nextSecond));
      const entries = new DataView(new ArrayBuffer(4 * count));
      for (let k = 0; k < count; k++) entries.setUint32(4 * k, this.#written, true);
      this.#seconds.append(new Uint8Array(entries.buffer));
      this.#nextSecond += count;
    }
  }
}

/** A sum whose rounding errors are kept beside it (Neumaier's summation). */
class Total {
  #high = 0;
  #low = 0;

  get value(): number {
    return this.#high + this.#low;
  }

  add(term: number): void {
    const total = this.#high + term;
    this.#low += Math.abs(this.#high) >= Math.abs(term) ? this.#high - total + term : term - total + this.#high;
    this.#high = total;
  }
}
