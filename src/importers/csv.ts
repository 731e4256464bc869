import type { ImportedFile } from "../model/recording.ts";
import { type Problems, quote } from "./problems.ts";

const LF = 10;
const CR = 13;
const TAB = 9;
const SPACE = 32;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;

/** Integers of this many decimal digits, and powers of ten up to 10^22, are exact in a double: their quotient is correctly rounded. */
const EXACT_DIGITS = 15;
const POWERS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, n) => Number(`1e${n}`));
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** First line of a table, and where its rows begin. */
export interface Header {
  readonly names: readonly string[];
  readonly next: number;
  readonly line: number;
}

/**
 * Columns of numbers, as they stood in the file. `breaks` lists the rows that follow an empty line.
 *
 * A row that could not be read is there as NaN, and is a problem; nobody uses the table then.
 */
export interface Table {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Float64Array>;
  readonly breaks: readonly number[];
}

/** Reads the column names; undefined when there is none to read, which is a problem then. A byte order mark is skipped. */
export function readHeader(file: ImportedFile, problems: Problems): Header | undefined {
  const { bytes, name } = file;
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  for (let line = 1; at < bytes.length; line++) {
    const end = lineEnd(bytes, at);
    const text = new TextDecoder().decode(bytes.subarray(at, end)).trim();
    at = end + 1;
    if (text === "") continue;
    const names = text.split(",").map((each) => each.trim());
    if (text.includes('"')) problems.add(`${name}:${line}`, "quoted fields are not read; write plain names and numbers");
    else if (names.length === 1 && /[;\t]/.test(text)) problems.add(`${name}:${line}`, "columns must be separated by commas");
    else if (new Set(names).size < names.length) problems.add(`${name}:${line}`, `a column is named twice in ${quote(text)}`);
    else return { names, next: at, line };
    return undefined;
  }
  problems.add(name, "is empty; expected a header line");
  return undefined;
}

/**
 * Reads the rows below a header into columns of doubles, in one pass over the bytes and without an object per row.
 *
 * Every row has as many cells as the header, so a decimal comma does not go unseen. The `wanted` columns hold finite
 * numbers, and the first of them rises from row to row; the others may hold anything. Lines end in LF or CRLF.
 */
export function readRows(file: ImportedFile, header: Header, wanted: readonly string[], problems: Problems): Table {
  const { bytes, name } = file;
  const reader = new RowReader(bytes, header, wanted);
  const breaks: number[] = [];
  let rows = 0;
  let broken = false;
  for (let at = header.next, line = header.line + 1; at < bytes.length; line++) {
    const end = lineEnd(bytes, at);
    if (isBlank(bytes, at, end)) broken = rows > 0;
    else {
      if (broken) breaks.push(rows);
      broken = false;
      const wrong = reader.read(at, end, rows++);
      if (wrong !== undefined) problems.add(`${name}:${line}`, wrong);
    }
    at = end + 1;
  }
  if (rows === 0) problems.add(name, "has a header and no rows");
  return { rows, columns: reader.columns(rows), breaks };
}

class RowReader {
  readonly #bytes: Uint8Array;
  readonly #header: Header;
  readonly #wanted: readonly string[];
  readonly #values: readonly Float64Array[];
  /** For each cell of a row, the column it goes to, if any. */
  readonly #targets: readonly (Float64Array | undefined)[];

  constructor(bytes: Uint8Array, header: Header, wanted: readonly string[]) {
    const capacity = countLines(bytes, header.next);
    this.#bytes = bytes;
    this.#header = header;
    this.#wanted = wanted;
    this.#values = wanted.map(() => new Float64Array(capacity));
    this.#targets = header.names.map((each) => this.#values[wanted.indexOf(each)]);
  }

  columns(rows: number): ReadonlyMap<string, Float64Array> {
    return new Map(this.#wanted.map((each, c) => [each, this.#values[c]!.subarray(0, rows)]));
  }

  /** Reads the line from `at` to `end` into row `row`. @returns what is wrong with it, if anything. */
  read(at: number, end: number, row: number): string | undefined {
    const bytes = this.#bytes;
    let cell = 0;
    let wrong: string | undefined;
    for (let from = at; from <= end; cell++) {
      let to = from;
      while (to < end && bytes[to] !== COMMA) to++;
      const target = this.#targets[cell];
      if (target) {
        const value = parseNumber(bytes, from, to);
        target[row] = value;
        if (Number.isNaN(value)) wrong ??= this.#notANumber(cell, from, to);
      }
      from = to + 1;
    }
    const { names } = this.#header;
    if (cell !== names.length) return `has ${cell} ${cell === 1 ? "cell" : "cells"}, expected ${names.length} (${names.join(", ")})`;
    return wrong ?? this.#notRising(row);
  }

  #notANumber(cell: number, from: number, to: number): string {
    const found = new TextDecoder().decode(this.#bytes.subarray(from, to)).trim();
    const hint = found.startsWith('"') ? "; quoted fields are not read" : "";
    return `${this.#header.names[cell]} is ${found === "" ? "empty" : quote(found)}, expected a finite number${hint}`;
  }

  #notRising(row: number): string | undefined {
    const rising = this.#values[0]!;
    const before = rising[row - 1];
    const now = rising[row]!;
    if (before === undefined || !(now <= before)) return undefined;
    const column = this.#wanted[0];
    return now === before ? `${column} ${now} comes twice` : `${column} ${now} after ${before}, expected rising times`;
  }
}

/** Correctly rounded value of the decimal number in these bytes; NaN when it is not one or not finite. */
export function parseNumber(bytes: Uint8Array, start: number, stop: number): number {
  let from = start;
  let to = stop;
  while (from < to && isSpace(bytes[from]!)) from++;
  while (to > from && isSpace(bytes[to - 1]!)) to--;
  const sign = bytes[from];
  let at = sign === MINUS || sign === PLUS ? from + 1 : from;
  let integer = 0;
  let digits = 0;
  let decimals = -1;
  for (; at < to; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit >= 0 && digit <= 9) {
      integer = integer * 10 + digit;
      digits++;
      if (decimals >= 0) decimals++;
    } else if (bytes[at] === DOT && decimals < 0) decimals = 0;
    else return parseSlowly(bytes, from, to);
  }
  if (digits === 0 || digits > EXACT_DIGITS) return parseSlowly(bytes, from, to);
  const value = decimals > 0 ? integer / POWERS[decimals]! : integer;
  return sign === MINUS ? -value : value;
}

/** For long numbers, exponents, and everything that is no number. */
function parseSlowly(bytes: Uint8Array, from: number, to: number): number {
  const text = new TextDecoder().decode(bytes.subarray(from, to));
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

/** Where the line that begins at `at` ends: its line feed, or the end of the file. */
export function lineEnd(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(LF, at);
  return end < 0 ? bytes.length : end;
}

/** Lines from here on, at most: an empty one after the last line feed counts too. */
export function countLines(bytes: Uint8Array, from: number): number {
  let lines = 1;
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}

/** Whether these bytes are spaces only. */
export function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (!isSpace(bytes[at]!)) return false;
  return true;
}

/** A carriage return counts as space, which is all that CRLF needs. */
const isSpace = (byte: number): boolean => byte === SPACE || byte === CR || byte === TAB;
