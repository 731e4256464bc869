import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import { Parcel } from "./parcel.ts";

/** Appended lines stay in memory up to this, or until somebody flushes. */
const HELD_BYTES = 64 * 1024;
/** A file is as long as this; it goes as soon as all of it was delivered. */
const SEGMENT_BYTES = 8 * 2 ** 20;
/** Read at once: at least one whole line, for no line is longer. */
const READ_BYTES = 2 ** 20;
/** The cursor is written at most so often: what was delivered since is sent once more after a crash. */
const KEEP_MS = 250;
const NEWLINE = 10;

const NOTHING = Parcel.ofLines([]);

/** How far delivery has come. */
export interface Cursor {
  readonly format: 1;
  /** File and byte in it up to which every line is settled. */
  readonly segment: number;
  readonly offset: number;
  readonly appended: number;
  readonly delivered: number;
  readonly rejected: number;
  /** Nothing is missing: the session was told to its end, and all of it was written here. */
  readonly whole: boolean;
}

const START: Cursor = { format: 1, segment: 0, offset: 0, appended: 0, delivered: 0, rejected: 0, whole: false };

/** What an earlier process left; undefined where nothing, or nothing that can be read. */
export function readCursor(dir: string): Cursor | undefined {
  try {
    const cursor: unknown = JSON.parse(readFileSync(join(dir, "cursor.json"), "utf8"));
    return typeof cursor === "object" && cursor !== null && "format" in cursor && cursor.format === 1 ? (cursor as Cursor) : undefined;
  } catch {
    return undefined;
  }
}

/** Lines of it that were settled neither way. */
export const waitingOf = ({ appended, delivered, rejected }: Cursor): number => Math.max(0, appended - delivered - rejected);

/**
 * Lines that wait for a service, in files: append-only `NNNNNN.lp`, and `cursor.json`, which is replaced whole.
 *
 * Appending never fails: what the disk does not take is counted in `lost`, and the outbox then is not whole. It is a
 * copy of what the tape says, so it is handed to the system and not synced.
 */
export class Outbox {
  readonly #dir: string;
  #cursor: Cursor;
  #writing: number;
  #written = 0;
  #held: string[] = [];
  #heldBytes = 0;
  /** Byte length of each line that was taken and not settled. */
  #taken: number[] = [];
  #kept_ms = 0;
  #broken: string | undefined;
  #buffer: Buffer | undefined;
  lost = 0;

  /** Goes on with what is in `dir`, which nobody else writes to, or begins `anew`. @throws JoulebenchError `sink` when it cannot be made */
  constructor(dir: string, anew = false) {
    this.#dir = dir;
    try {
      mkdirSync(dir, { recursive: true });
      if (anew) for (const name of readdirSync(dir)) if (/\.lp$|^cursor\.json/.test(name)) rmSync(join(dir, name), { force: true });
      this.#cursor = readCursor(dir) ?? START;
      // Never behind a line that was cut off.
      this.#writing = Math.max(this.#cursor.segment - 1, ...segmentsOf(dir)) + 1;
      this.#keep();
    } catch (cause) {
      throw new JoulebenchError("sink", dir, `cannot be written (${messageOf(cause)})`, { cause });
    }
  }

  /** Lines appended and not settled. */
  get waiting(): number {
    return waitingOf(this.#cursor);
  }

  /** Why lines were lost. */
  get failure(): string | undefined {
    return this.#broken;
  }

  append(line: string): void {
    if (this.#broken !== undefined) {
      this.lost++;
      return;
    }
    this.#held.push(line);
    this.#heldBytes += Buffer.byteLength(line) + 1;
    this.#cursor = { ...this.#cursor, appended: this.#cursor.appended + 1, whole: false };
    if (this.#heldBytes >= HELD_BYTES) this.flush();
  }

  flush(): void {
    if (this.#held.length === 0) return;
    const [lines, bytes] = [this.#held, this.#heldBytes];
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#written > 0 && this.#written + bytes > SEGMENT_BYTES) {
      this.#writing++;
      this.#written = 0;
    }
    try {
      appendFileSync(this.#path(this.#writing), `${lines.join("\n")}\n`);
      this.#written += bytes;
    } catch (error) {
      this.#lose(lines.length, messageOf(error));
    }
  }

  /** The oldest lines that wait, to be settled from the first on by {@link settle}. */
  take(most: number): Parcel {
    this.flush();
    this.#taken = [];
    for (;;) {
      const parcel = this.#read(most);
      if (parcel.length > 0) return parcel;
      if (this.#cursor.segment >= this.#writing) break;
      this.#nextSegment();
    }
    if (this.waiting > 0) this.#lose(this.waiting, "its files are gone");
    return NOTHING;
  }

  /** The first lines of those taken were delivered, or rejected, which is delivered as far as the cursor goes. */
  settle(lines: number, rejected: number): void {
    const bytes = this.#taken.splice(0, lines).reduce((sum, each) => sum + each, 0);
    const { offset, delivered, rejected: before } = this.#cursor;
    this.#cursor = { ...this.#cursor, offset: offset + bytes, delivered: delivered + lines - rejected, rejected: before + rejected };
    if (performance.now() - this.#kept_ms >= KEEP_MS) this.#keep();
  }

  /** Keeps lines the service will never take, with what it said of them. */
  reject(lines: readonly string[], reason: string): void {
    try {
      appendFileSync(join(this.#dir, "rejected.lp"), `# ${reason.replace(/\p{Cc}+/gu, " ")}\n${lines.join("\n")}\n`);
    } catch (error) {
      this.#broken ??= messageOf(error);
    }
  }

  /** @param whole all that there is was appended; without it, what is here is a part */
  close(whole: boolean): void {
    this.flush();
    this.#cursor = { ...this.#cursor, whole: whole && this.#broken === undefined };
    // Settled lines are in the database and can be had again from the tape.
    if (this.waiting === 0) for (const segment of segmentsOf(this.#dir)) rmSync(this.#path(segment), { force: true });
    this.#keep();
  }

  #lose(lines: number, reason: string): void {
    this.#broken ??= reason;
    this.lost += lines;
    this.#cursor = { ...this.#cursor, appended: this.#cursor.appended - lines, whole: false };
  }

  #read(most: number): Parcel {
    const { segment, offset } = this.#cursor;
    const path = this.#path(segment);
    if (!existsSync(path)) return NOTHING;
    this.#buffer ??= Buffer.allocUnsafe(READ_BYTES);
    const bytes = readAt(path, this.#buffer, offset);
    let from = 0;
    for (let to = bytes.indexOf(NEWLINE); to >= 0 && this.#taken.length < most; to = bytes.indexOf(NEWLINE, from)) {
      this.#taken.push(to + 1 - from);
      from = to + 1;
    }
    return Parcel.ofBytes(Buffer.from(bytes.subarray(0, from)), this.#taken.length);
  }

  #nextSegment(): void {
    rmSync(this.#path(this.#cursor.segment), { force: true });
    this.#cursor = { ...this.#cursor, segment: this.#cursor.segment + 1, offset: 0 };
    this.#keep();
  }

  #path(segment: number): string {
    return join(this.#dir, `${String(segment).padStart(6, "0")}.lp`);
  }

  /** An old cursor costs nothing but sending again, so a disk that does not take a new one is no loss. */
  #keep(): void {
    this.#kept_ms = performance.now();
    try {
      writeFileSync(join(this.#dir, "cursor.json.tmp"), `${JSON.stringify(this.#cursor)}\n`);
      renameSync(join(this.#dir, "cursor.json.tmp"), join(this.#dir, "cursor.json"));
    } catch (error) {
      this.#broken ??= messageOf(error);
    }
  }
}

/** What of `path` from `offset` on fits into `buffer`. */
function readAt(path: string, buffer: Buffer, offset: number): Buffer {
  const file = openSync(path, "r");
  try {
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, offset));
  } finally {
    closeSync(file);
  }
}

const segmentsOf = (dir: string): number[] =>
  readdirSync(dir).flatMap((name) => (/^\d{6}\.lp$/.test(name) ? [Number.parseInt(name, 10)] : []));

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
