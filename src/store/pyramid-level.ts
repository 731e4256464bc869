import { closeSync, existsSync, fstatSync, openSync, readSync, truncateSync } from "node:fs";
import { AppendFile } from "./append-file.ts";

/** Width of a bin of the lowest level: the tenth of a second that dashboards plot. */
export const BASE_S = 0.1;
/** Bins of one level that make one of the next. */
export const FACTOR = 4;
/** The highest level has bins of 27 min, of which 72 h have 158. */
export const LEVELS = 8;

export const widthOf = (level: number): number => BASE_S * FACTOR ** level;

/** What is known of the samples in one bin; `n` of 0 is a gap. */
export interface Bin {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly n: number;
}

// A level is this header followed by records, little endian:
//   0 "JBP1" | 4 u32 level | 8 f64 number of the first bin | 16 f64 width of a bin, s | 24 f64 0
// Bin number b holds the samples of [b * width, (b + 1) * width) of session time. A record:
//   0 f32 least | 4 f32 mean | 8 f32 largest | 12 u32 samples
// A bin without samples is 16 zeros, so that it stands at its place and says that nothing was measured.
export const HEADER_BYTES = 32;
export const BIN_BYTES = 16;
const MAGIC = 0x3150424a;

export const levelPath = (base: string, level: number): string => `${base}.${level}.bin`;

/** The file of one level, open for reading; also while it grows. */
export class LevelReader {
  readonly first: number;
  readonly #fd: number;

  private constructor(fd: number, first: number) {
    this.#fd = fd;
    this.first = first;
  }

  /** Undefined where there is no such level yet, or not even its header. */
  static open(path: string): LevelReader | undefined {
    if (!existsSync(path)) return undefined;
    const fd = openSync(path, "r");
    const header = new DataView(new ArrayBuffer(HEADER_BYTES));
    const isWhole = readSync(fd, header, 0, HEADER_BYTES, 0) === HEADER_BYTES && header.getUint32(0, true) === MAGIC;
    if (isWhole) return new LevelReader(fd, header.getFloat64(8, true));
    closeSync(fd);
    return undefined;
  }

  /** Number of the bin after the last whole one; half a record at the end of a torn file is none. */
  get end(): number {
    return this.first + Math.max(0, Math.floor((fstatSync(this.#fd).size - HEADER_BYTES) / BIN_BYTES));
  }

  /** The records of bins [from, to), which must be there. */
  read(from: number, to: number): DataView {
    const bytes = new DataView(new ArrayBuffer(Math.max(0, to - from) * BIN_BYTES));
    readSync(this.#fd, bytes, 0, bytes.byteLength, HEADER_BYTES + (from - this.first) * BIN_BYTES);
    return bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The bin in record k of what was read. */
export function binAt(view: DataView, k: number): Bin {
  const at = k * BIN_BYTES;
  return {
    min: view.getFloat32(at, true),
    mean: view.getFloat32(at + 4, true),
    max: view.getFloat32(at + 8, true),
    n: view.getUint32(at + 12, true),
  };
}

/** The file of one level, which only grows; what a torn one ends with is cut off before it goes on. */
export class LevelWriter {
  readonly #path: string;
  readonly #level: number;
  #file: AppendFile | undefined;
  /** Number of the bin that the next record is for; undefined before the first. */
  #next: number | undefined;

  /** @param limit number of the first bin that the level below has not all of: from there on the file is cut off */
  constructor(base: string, level: number, limit: number) {
    this.#path = levelPath(base, level);
    this.#level = level;
    const found = LevelReader.open(this.#path);
    if (!found) return;
    const end = Math.min(limit, found.end);
    found.close();
    if (end <= found.first) return;
    this.#next = end;
    truncateSync(this.#path, HEADER_BYTES + (this.#next - found.first) * BIN_BYTES);
    this.#file = new AppendFile(this.#path, "a");
  }

  get next(): number | undefined {
    return this.#next;
  }

  /** @param number later than that of every bin before */
  append(number: number, { min, mean, max, n }: Bin): void {
    const file = this.#file ?? this.#begin(number);
    const missing = number - this.#next!;
    for (let left = missing; left > 0; left -= GAP_BINS) file.append(new Uint8Array(Math.min(left, GAP_BINS) * BIN_BYTES));
    const record = new DataView(new ArrayBuffer(BIN_BYTES));
    record.setFloat32(0, min, true);
    record.setFloat32(4, mean, true);
    record.setFloat32(8, max, true);
    record.setUint32(12, n, true);
    file.append(new Uint8Array(record.buffer));
    this.#next = number + 1;
  }

  flush(): void {
    this.#file?.flush();
  }

  close(): void {
    this.#file?.close();
  }

  #begin(number: number): AppendFile {
    const header = new DataView(new ArrayBuffer(HEADER_BYTES));
    header.setUint32(0, MAGIC, true);
    header.setUint32(4, this.#level, true);
    header.setFloat64(8, number, true);
    header.setFloat64(16, widthOf(this.#level), true);
    this.#file = new AppendFile(this.#path, existsSync(this.#path) ? "a" : "wx");
    truncateSync(this.#path, 0);
    this.#file.append(new Uint8Array(header.buffer));
    this.#next = number;
    return this.#file;
  }
}

/** Gaps are written in pieces of this many bins. */
const GAP_BINS = 4096;
