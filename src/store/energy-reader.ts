import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { JoulebenchError } from "../model/errors.ts";
import { countOf, coveredBefore, energyBefore, energyWithin, lengthOf, RECORD_BYTES, startOf } from "./energy-record.ts";
import { recordsPath, SECONDS_HEAD, secondsPath } from "./energy-writer.ts";

/** Records read at once where instants are far apart, and where the next is near: two pages, and 6 s at 5 kHz. */
const FEW = 16;
const MANY = 128;

/** What has accumulated at instants, since the first sample. */
export interface Accumulated {
  readonly energy_j: Float64Array;
  readonly covered_s: Float64Array;
}

/**
 * Energy of one channel, read off the disk: of a window it is the difference of two readings, whatever its length.
 *
 * Neither time nor memory depends on how long the trace is, but for the table of seconds: 4 bytes each.
 */
export class EnergyReader {
  readonly #fd: number;
  readonly #seconds: DataView;
  readonly #firstSecond: number;
  readonly #held = new DataView(new ArrayBuffer(MANY * RECORD_BYTES));
  /** Number of the first record held, and how many are. */
  #heldFrom = 0;
  #heldCount = 0;

  /** @param base path of the two files without ending. @throws JoulebenchError `config` where they are not */
  constructor(base: string) {
    try {
      const bytes = readFileSync(secondsPath(base));
      this.#seconds = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#fd = openSync(recordsPath(base), "r");
    } catch (cause) {
      throw new JoulebenchError("config", base, "has no energies; the trace is not there, or this channel has no power", { cause });
    }
    this.#firstSecond = this.#seconds.byteLength < SECONDS_HEAD ? Number.NaN : this.#seconds.getFloat64(0, true);
  }

  /** Whole records so far, without the one that ends the file. */
  get records(): number {
    return Math.floor(fstatSync(this.#fd).size / RECORD_BYTES);
  }

  /** @param instants session seconds, best in order: neighbours are then read once */
  at(instants: ArrayLike<number>): Accumulated {
    const records = this.records;
    const read = { energy_j: new Float64Array(instants.length), covered_s: new Float64Array(instants.length) };
    if (records === 0) return read;
    for (let i = 0; i < instants.length; i++) {
      const at = this.#find(instants[i]!, records);
      const offset_s = instants[i]! - startOf(this.#held, at);
      const isInside = offset_s > 0 && countOf(this.#held, at) > 0;
      read.energy_j[i] = energyBefore(this.#held, at) + (isInside ? energyWithin(this.#held, at, offset_s) : 0);
      read.covered_s[i] = coveredBefore(this.#held, at) + (isInside ? Math.min(offset_s, lengthOf(this.#held, at)) : 0);
    }
    return read;
  }

  /** Energy of a window and how much of it samples cover, J and s. */
  window(start_s: number, end_s: number): { readonly energy_j: number; readonly covered_s: number } {
    const { energy_j, covered_s } = this.at([start_s, end_s]);
    return { energy_j: energy_j[1]! - energy_j[0]!, covered_s: covered_s[1]! - covered_s[0]! };
  }

  /** Hands over every record that touches [start_s, end_s), and where in the view it stands. */
  forEach(start_s: number, end_s: number, take: (view: DataView, at: number) => void): void {
    const records = this.records;
    if (records === 0) return;
    for (let number = this.#numberOf(start_s, records); number < records; number++) {
      const at = this.#load(number, records);
      if (startOf(this.#held, at) >= end_s) return;
      if (countOf(this.#held, at) > 0 && startOf(this.#held, at) + lengthOf(this.#held, at) > start_s) take(this.#held, at);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The place of the first record that ends after `t`, else of the last: there the energy at `t` stands. */
  #find(t: number, records: number): number {
    return this.#load(this.#numberOf(t, records), records);
  }

  #numberOf(t: number, records: number): number {
    const second = Math.floor(t) - this.#firstSecond;
    const low = this.#recordOf(second, records);
    const high = this.#recordOf(second + 1, records);
    let number = low + Math.floor((t - Math.floor(t)) * (high - low));
    while (number > 0 && this.#endsAfter(number - 1, t, records)) number--;
    while (number < records - 1 && !this.#endsAfter(number, t, records)) number++;
    return number;
  }

  #endsAfter(number: number, t: number, records: number): boolean {
    const at = this.#load(number, records);
    return startOf(this.#held, at) + lengthOf(this.#held, at) > t;
  }

  #recordOf(second: number, records: number): number {
    const entries = Math.floor((this.#seconds.byteLength - SECONDS_HEAD) / 4);
    if (!(second >= 0)) return 0;
    const entry = second < entries ? this.#seconds.getUint32(SECONDS_HEAD + 4 * second, true) : records - 1;
    return Math.min(entry, records - 1);
  }

  /** Where record `number` stands in what is held, after it was read if need be. */
  #load(number: number, records: number): number {
    const heldTo = this.#heldFrom + this.#heldCount;
    if (number < this.#heldFrom || number >= heldTo) {
      const isNear = number >= this.#heldFrom && number < heldTo + MANY;
      // The one before is asked for as well, to see that the instant is not in it.
      const from = Math.max(0, number - 1);
      this.#heldCount = Math.min(isNear ? MANY : FEW, records - from);
      readSync(this.#fd, this.#held, 0, this.#heldCount * RECORD_BYTES, from * RECORD_BYTES);
      this.#heldFrom = from;
    }
    return (number - this.#heldFrom) * RECORD_BYTES;
  }
}
