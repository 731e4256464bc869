import { ReadlineParser } from "@serialport/parser-readline";

const NEWLINE = 0x0a;

/** Lines of Latin-1 text out of chunks, synchronously, in bounded memory. */
export class LineReader {
  readonly #maxBytes: number;
  #parser = openParser();
  /** Bytes since the last newline that the parser holds. */
  #pending = 0;
  /** In a line that was too long: drops up to the next newline. */
  #skipping = false;
  /** Bytes dropped because no newline came in time. */
  dropped = 0;

  /** @param maxBytes longest line; the parser joins its buffer anew for every chunk, so this also bounds its work */
  constructor(maxBytes = 4096) {
    this.#maxBytes = maxBytes;
  }

  /** @returns the lines that ended in this chunk, without their `\n` or `\r\n` */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let at = 0;
    while (at < chunk.length) {
      const newline = chunk.indexOf(NEWLINE, at);
      const end = newline < 0 ? chunk.length : newline + 1;
      this.#feed(chunk.subarray(at, end), newline >= 0);
      at = end;
      for (let line = this.#read(); line !== null; line = this.#read()) lines.push(line.endsWith("\r") ? line.slice(0, -1) : line);
    }
    return lines;
  }

  /** Forgets a line that has begun: what comes next does not continue it. */
  reset(): void {
    if (this.#pending > 0) this.#parser = openParser();
    this.dropped += this.#pending;
    this.#pending = 0;
    this.#skipping = false;
  }

  #feed(bytes: Uint8Array, ends: boolean): void {
    if (!this.#skipping && this.#pending + bytes.length <= this.#maxBytes) {
      this.#parser.write(bytes);
      this.#pending = ends ? 0 : this.#pending + bytes.length;
      return;
    }
    this.dropped += this.#pending + bytes.length;
    if (this.#pending > 0) this.#parser = openParser();
    this.#pending = 0;
    this.#skipping = !ends;
  }

  #read(): string | null {
    return this.#parser.read() as string | null;
  }
}

/** In object mode with nobody listening, `read` right after `write` gives every finished line at once: no event loop is involved. */
const openParser = (): ReadlineParser => new ReadlineParser({ delimiter: "\n", encoding: "latin1", readableObjectMode: true });
