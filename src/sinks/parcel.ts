/**
 * Lines on their way, as lines or as the bytes they are in a file and in a request: whichever is asked for is made once.
 * Almost always the bytes go as they lie.
 */
export class Parcel {
  readonly length: number;
  #bytes: Buffer | undefined;
  #lines: readonly string[] | undefined;

  private constructor(length: number, bytes: Buffer | undefined, lines: readonly string[] | undefined) {
    this.length = length;
    this.#bytes = bytes;
    this.#lines = lines;
  }

  static ofLines = (lines: readonly string[]): Parcel => new Parcel(lines.length, undefined, lines);

  /** @param bytes `length` lines, each with its end */
  static ofBytes = (bytes: Buffer, length: number): Parcel => new Parcel(length, bytes, undefined);

  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.#lines!.map((line) => `${line}\n`).join(""));
    return this.#bytes;
  }

  get lines(): readonly string[] {
    this.#lines ??= this.#bytes!.toString("utf8").split("\n").slice(0, this.length);
    return this.#lines;
  }

  /** Lines [from, to). */
  part(from: number, to: number): Parcel {
    return from === 0 && to >= this.length ? this : Parcel.ofLines(this.lines.slice(from, to));
  }
}
