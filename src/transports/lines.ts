/** Longest line in bytes; longer ones are cut, because a program gone wrong may never send a newline. */
export const LINE_BYTES = 64 * 1024;

/** Ends a line that was cut, so that no parser takes it for a whole one. */
export const CUT_MARK = " … cut: longer than 64 KiB";

const NEWLINE = 0x0a;

/** Cuts a byte stream into lines of UTF-8, in linear time and bounded memory. */
export class LineCutter {
  #held: Uint8Array[] = [];
  #bytes = 0;
  /** The line held was cut and given out already: drops up to the next newline. */
  #cut = false;

  /** @returns the lines that ended in this chunk, without `\n` or `\r\n` */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#hold(chunk.subarray(from, end), lines);
      if (!this.#cut) lines.push(this.#take().replace(/\r$/, ""));
      this.#cut = false;
      from = end + 1;
    }
    this.#hold(chunk.subarray(from), lines);
    return lines;
  }

  /** @returns what came after the last newline, if anything did */
  end(): string[] {
    return this.#bytes > 0 ? [this.#take()] : [];
  }

  #hold(bytes: Uint8Array, lines: string[]): void {
    if (this.#cut || bytes.length === 0) return;
    const room = LINE_BYTES - this.#bytes;
    this.#held.push(bytes.length <= room ? bytes : bytes.subarray(0, room));
    this.#bytes += Math.min(bytes.length, room);
    if (bytes.length <= room) return;
    lines.push(this.#take() + CUT_MARK);
    this.#cut = true;
  }

  #take(): string {
    const text = Buffer.concat(this.#held, this.#bytes).toString("utf8");
    this.#held = [];
    this.#bytes = 0;
    return text;
  }
}
