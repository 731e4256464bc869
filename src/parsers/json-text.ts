/** The value of a JSON text; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A document that is longer is given up; the longest that engines print are tens of kilobytes. */
const MOST_CHARACTERS = 4 << 20;

/** How a line inside a document begins. */
const PART = /^(?:["{}[\]\d-]|true|false|null|$)/;

/**
 * Puts JSON objects together that an engine prints over several lines.
 *
 * An array around them is taken apart: its brackets stand on lines of their own, or the whole array on one line.
 */
export class JsonDocuments {
  #text = "";
  #depth = 0;

  /** Whether a document has begun that is not whole yet. */
  get isOpen(): boolean {
    return this.#depth > 0;
  }

  /** @returns the objects that are whole with this line, or undefined when the line is no part of a JSON document */
  push(line: string): readonly unknown[] | undefined {
    const text = line.trim();
    if (!this.isOpen) {
      if (text === "[" || text === "]") return [];
      const whole = parseJson(text.replace(/,$/, ""));
      if (typeof whole === "object" && whole !== null) return Array.isArray(whole) ? whole : [whole];
    }
    // A brace at the very beginning of a line begins a document anew: the one before was cut off.
    const isFresh = /^[[{]/.test(line);
    const isCut = this.isOpen && (isFresh || !PART.test(text));
    if (isCut) this.#drop();
    if (!this.isOpen && !/^\[?\s*\{/.test(text)) return undefined;
    const begun = this.isOpen ? text : text.replace(/^\[\s*/, "");
    this.#depth += depthOf(begun);
    this.#text += `${begun}\n`;
    if (this.#depth > 0 && this.#text.length <= MOST_CHARACTERS) return isCut ? undefined : [];
    return this.#close();
  }

  #close(): readonly unknown[] | undefined {
    const text = this.#text.trim();
    this.#drop();
    const value = parseJson(text.replace(/,$/, "")) ?? parseJson(text.replace(/,?\s*\]$/, ""));
    if (typeof value !== "object" || value === null) return undefined;
    return Array.isArray(value) ? value : [value];
  }

  #drop(): void {
    this.#text = "";
    this.#depth = 0;
  }
}

/** Braces that a line opens more than it closes; those inside texts do not count. */
function depthOf(line: string): number {
  let depth = 0;
  let inText = false;
  for (let k = 0; k < line.length; k++) {
    const letter = line[k];
    if (inText && letter === "\\") k++;
    else if (letter === '"') inText = !inText;
    else if (!inText && letter === "{") depth++;
    else if (!inText && letter === "}") depth--;
  }
  return depth;
}
