import type { ImportedFile } from "../model/recording.ts";
import { countLines, isBlank, lineEnd, parseNumber } from "./csv.ts";
import { type Problems, quote } from "./problems.ts";

const LF = 10;
const HASH = 35;
const CLOSE = 41;
const COMMA = 44;

/** NumPy 2 writes the `repr` of a number as `np.float64(0.25)`; programs that write `repr` put that in their files. */
const NUMPY = new TextEncoder().encode("np.float64(");

/** Reads one cell; NaN when it holds no number. */
export type CellReader = (bytes: Uint8Array, from: number, to: number) => number;

/** Which cells of a row are read. */
export interface Layout {
  /** Names of the cells, for messages; one row has as many, and may end in one more comma. */
  readonly names: readonly string[];
  /** Indexes of the cells wanted; the first is the time, which does not fall from row to row. */
  readonly wanted: readonly number[];
  /** Byte and line number at which the rows begin. */
  readonly next: number;
  readonly line: number;
  /** Whether equal times may follow each other. */
  readonly shared?: boolean;
  /** How a time is written, where it is no plain number. */
  readonly time?: CellReader;
}

/** Columns of a meter's file, in the units of the file. */
export interface LooseTable {
  readonly rows: number;
  /** One per wanted cell. */
  readonly columns: readonly Float64Array[];
  /** Rows that say `nan`: the meter's program had no sample for them, and they are left out. */
  readonly missing: number;
  /** 1 when the last line has no line end: a number cut short reads as another number, so the line is left out. */
  readonly cut: 0 | 1;
}

/**
 * Reads the rows of a meter's own CSV: as strict about numbers as the generic reader, but used to what such programs write.
 *
 * Comment lines begin with `#`. A row may end in a comma. Numbers may be `np.float64(…)`, and `nan` where a sample is missing.
 */
export function readLoose(file: ImportedFile, layout: Layout, problems: Problems): LooseTable {
  const { bytes, name } = file;
  const ended = bytes.length === 0 || bytes.at(-1) === LF;
  const end = ended ? bytes.length : bytes.lastIndexOf(LF) + 1;
  const reader = new LooseReader(bytes, layout);
  for (let at = layout.next, line = layout.line + 1; at < end; line++) {
    const stop = lineEnd(bytes, at);
    if (bytes[at] !== HASH && !isBlank(bytes, at, stop)) {
      const wrong = reader.read(at, stop);
      if (wrong !== undefined) problems.add(`${name}:${line}`, wrong);
    }
    at = stop + 1;
  }
  const { rows, missing } = reader;
  if (rows === 0) problems.add(name, "has no whole row of samples");
  return { rows, columns: reader.columns(), missing, cut: ended || layout.next >= bytes.length ? 0 : 1 };
}

class LooseReader {
  rows = 0;
  missing = 0;
  readonly #bytes: Uint8Array;
  readonly #layout: Layout;
  readonly #values: readonly Float64Array[];
  /** For each cell, the place among the wanted, or -1. */
  readonly #place: readonly number[];
  /** Bounds of the wanted cells in the line being read. */
  readonly #from: Int32Array;
  readonly #to: Int32Array;

  constructor(bytes: Uint8Array, layout: Layout) {
    const capacity = countLines(bytes, layout.next);
    this.#bytes = bytes;
    this.#layout = layout;
    this.#values = layout.wanted.map(() => new Float64Array(capacity));
    this.#place = layout.names.map((_, cell) => layout.wanted.indexOf(cell));
    this.#from = new Int32Array(layout.wanted.length);
    this.#to = new Int32Array(layout.wanted.length);
  }

  columns(): readonly Float64Array[] {
    return this.#values.map((values) => values.subarray(0, this.rows));
  }

  /** Reads the line from `at` to `stop`. @returns what is wrong with it, if anything. */
  read(at: number, stop: number): string | undefined {
    const cells = this.#split(at, stop);
    const { names, wanted, time } = this.#layout;
    if (cells !== names.length)
      return `has ${cells} ${cells === 1 ? "cell" : "cells"}, expected ${names.length} (${names.filter(Boolean).join(", ")})`;
    for (let w = 0; w < wanted.length; w++) {
      const value = w === 0 && time ? time(this.#bytes, this.#from[w]!, this.#to[w]!) : this.#number(w);
      this.#values[w]![this.rows] = value;
      if (!Number.isNaN(value)) continue;
      const found = this.#text(w);
      if (w === 0 || !/^[+-]?nan$/i.test(found)) return this.#notANumber(w, found);
      this.missing++;
      return undefined;
    }
    const wrong = this.#falling();
    this.rows++;
    return wrong;
  }

  /** Finds the wanted cells of a line. @returns how many cells it has, not counting an empty one after the last comma. */
  #split(at: number, stop: number): number {
    const bytes = this.#bytes;
    let cell = 0;
    for (let from = at; from <= stop; cell++) {
      let to = from;
      while (to < stop && bytes[to] !== COMMA) to++;
      if (cell === this.#place.length && isBlank(bytes, from, stop)) return cell;
      const place = this.#place[cell] ?? -1;
      if (place >= 0) {
        this.#from[place] = from;
        this.#to[place] = to;
      }
      from = to + 1;
    }
    return cell;
  }

  #number(w: number): number {
    const [from, to] = unwrapped(this.#bytes, this.#from[w]!, this.#to[w]!);
    return parseNumber(this.#bytes, from, to);
  }

  #text(w: number): string {
    const [from, to] = unwrapped(this.#bytes, this.#from[w]!, this.#to[w]!);
    return new TextDecoder().decode(this.#bytes.subarray(from, to)).trim();
  }

  #notANumber(w: number, found: string): string {
    return `${this.#layout.names[this.#layout.wanted[w]!]} is ${found === "" ? "empty" : quote(found)}, expected a finite number`;
  }

  #falling(): string | undefined {
    const times = this.#values[0]!;
    const before = times[this.rows - 1];
    const now = times[this.rows]!;
    if (before === undefined || now > before || (now === before && this.#layout.shared)) return undefined;
    if (now === before) return `time ${now} comes twice`;
    return `time ${now} after ${before}: the clock of the recording computer was set back; import the parts before and after on their own`;
  }
}

/** The bounds of the number itself where NumPy's name is around it. */
function unwrapped(bytes: Uint8Array, from: number, to: number): readonly [number, number] {
  let at = from;
  while (at < to && bytes[at] === 32) at++;
  for (let k = 0; k < NUMPY.length; k++) if (bytes[at + k] !== NUMPY[k]) return [from, to];
  let end = to;
  while (end > at && bytes[end - 1] !== CLOSE) end--;
  return end > at ? [at + NUMPY.length, end - 1] : [from, to];
}

/** The first line that is neither empty nor a comment, cut at its commas, and where the line after it begins. */
export interface FirstLine {
  readonly cells: readonly string[];
  /** Byte and number of this line itself, and the byte after it. */
  readonly at: number;
  readonly line: number;
  readonly next: number;
}

/** @param comments whether a line that begins with `#` is passed over. A byte order mark is skipped. */
export function firstLine({ bytes }: ImportedFile, comments: boolean): FirstLine | undefined {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  for (let line = 1; at < bytes.length; line++) {
    const end = lineEnd(bytes, at);
    const text = new TextDecoder().decode(bytes.subarray(at, end)).trim();
    if (text !== "" && !(comments && text.startsWith("#")))
      return { cells: text.split(",").map((cell) => cell.trim()), at, line, next: end + 1 };
    at = end + 1;
  }
  return undefined;
}

/** Whether a cell holds a number, as the first of a row does and the first of a header does not. */
export function isNumber(cell: string): boolean {
  const bytes = new TextEncoder().encode(cell);
  const [from, to] = unwrapped(bytes, 0, bytes.length);
  return !Number.isNaN(parseNumber(bytes, from, to));
}
