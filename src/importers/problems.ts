import { JoulebenchError } from "../model/errors.ts";

const SHOWN = 10;

/** Collects what is wrong with a set of files, so that one run tells all of it; keeps the first few and counts the rest. */
export class Problems {
  readonly #shown: string[] = [];
  #count = 0;

  /** @param where `power.csv`, or `power.csv:3` for its third line. */
  add(where: string, what: string): void {
    this.#count++;
    if (this.#shown.length < SHOWN) this.#shown.push(`  ${where}: ${what}`);
  }

  get count(): number {
    return this.#count;
  }

  /** @throws JoulebenchError `config` with all of it, when there is anything. */
  throwIfAny(subject: string): void {
    if (this.#count === 0) return;
    const more = this.#count - this.#shown.length;
    const head = this.#count === 1 ? "1 problem" : `${this.#count} problems`;
    const lines = more > 0 ? [...this.#shown, `  and ${more} more`] : this.#shown;
    throw new JoulebenchError("config", subject, [head, ...lines].join("\n"));
  }
}

/** Text as found in a file, short enough and printable for a message. */
export const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
