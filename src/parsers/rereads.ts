/** Lines of a log that are remembered to know them again. */
const MOST_LINES = 4096;

/**
 * Knows lines that were read before: a log that is followed by name is read again from an earlier place when it is rotated,
 * or when the program that follows it is started anew.
 *
 * Equal lines alone prove nothing, because tokens that share a coarse stamp look alike. A line is read again when its time
 * lies before the latest and its text is one of the last lines; and so are the lines after it, as long as they go on as they
 * did the first time.
 */
export class Rereads {
  readonly #lines: string[] = [];
  /** Where the line last heard stands among those kept, while a part is read again. */
  #at: number | undefined;
  #latest = Number.NEGATIVE_INFINITY;

  /** @param time of the line's own clock; @returns whether the line was read before */
  knows(line: string, time: number): boolean {
    const next = this.#at === undefined ? undefined : this.#at + 1;
    if (next !== undefined && this.#lines[next] === line) {
      this.#at = next;
      return true;
    }
    const before = time < this.#latest ? this.#lines.lastIndexOf(line) : -1;
    // The line just before may be a token of the same stamp, behind one that was stamped too late.
    if (before >= 0 && before < this.#lines.length - 1) {
      this.#at = before;
      return true;
    }
    this.#at = undefined;
    this.#latest = Math.max(this.#latest, time);
    this.#lines.push(line);
    if (this.#lines.length >= 2 * MOST_LINES) this.#lines.splice(0, MOST_LINES);
    return false;
  }
}
