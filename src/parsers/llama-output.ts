/** One line that llama-completion logged of its output: one token, whatever its text. */
export interface OutputLine {
  readonly at_s: number;
  readonly text: string;
}

/** A context has fewer tokens; of more lines the newest are kept. */
const MOST_LINES = 1 << 18;

/** Collects what llama-completion logs without a level: the prompt's echo, the output, and two remarks after it. */
export class OutputLines {
  #lines: OutputLine[] = [];

  push(line: OutputLine): void {
    this.#lines.push(line);
    if (this.#lines.length >= 2 * MOST_LINES) this.#lines = this.#lines.slice(-MOST_LINES);
  }

  clear(): void {
    this.#lines = [];
  }

  /**
   * Takes out the lines of the output tokens.
   *
   * Echo and output look alike, so the engine's count decides: the output is what came last. Behind it come a line
   * `[end of text]`, when the model ended by itself, and an empty line; neither is a token.
   *
   * @param count output tokens; undefined when all lines are output, because the prompt was not shown
   */
  take(count: number | undefined): readonly OutputLine[] {
    const lines = this.#lines;
    this.#lines = [];
    if (lines.at(-1)?.text === "\n\n") lines.pop();
    if (lines.at(-1)?.text === " [end of text]\n") lines.pop();
    if (count === undefined) return lines;
    return count === 0 ? [] : lines.slice(-count);
  }
}
