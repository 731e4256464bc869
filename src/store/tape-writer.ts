import {
  closeSync,
  createReadStream,
  createWriteStream,
  fdatasync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { JoulebenchError } from "../model/errors.ts";
import type { TapeRecord } from "../model/tape.ts";
import { encodeRecord, SEGMENT_HEADER } from "./record.ts";

/** A segment is closed beyond this size, so that a reader can hold one in memory. */
const SEGMENT_BYTES = 32 * 1024 * 1024;
/** Bytes kept back before they are handed to the kernel even between two flushes. */
const HELD_BYTES = 256 * 1024;

/**
 * Appends records to the segments of one session. The session calls {@link flush} every 100 ms and {@link sync}
 * every second.
 *
 * @throws JoulebenchError `sink` from every method once the disk has refused something
 */
export class TapeWriter {
  readonly #dir: string;
  readonly #closing: Promise<void>[] = [];
  #segment = -1;
  #fd = -1;
  #written = 0;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(dir: string) {
    this.#dir = dir;
    this.#guard("make the folder of", () => mkdirSync(dir, { recursive: true }));
    this.#open();
  }

  append(record: TapeRecord): void {
    const bytes = encodeRecord(record);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= HELD_BYTES) this.flush();
  }

  /** Hands everything appended so far to the kernel. */
  flush(): void {
    if (this.#heldBytes === 0) return;
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#guard("write", () => {
      // A full disk shows first as a short write.
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    });
    this.#written += bytes.length;
    if (this.#written >= SEGMENT_BYTES) {
      this.#closing.push(this.#close());
      this.#open();
    }
  }

  /** Asks the disk to keep what the kernel has; off the reading path. */
  async sync(): Promise<void> {
    const fd = this.#fd;
    await new Promise<void>((resolve, reject) => {
      fdatasync(fd, (cause) => (cause && cause.code !== "EBADF" ? reject(this.#failure("sync", cause)) : resolve()));
    });
  }

  /** Flushes, syncs and compresses what is still open. */
  async close(): Promise<void> {
    this.flush();
    this.#closing.push(this.#close());
    await Promise.all(this.#closing);
  }

  #open(): void {
    this.#segment++;
    this.#guard("open", () => {
      this.#fd = openSync(this.#path(), "wx");
      writeSync(this.#fd, SEGMENT_HEADER);
    });
    this.#written = SEGMENT_HEADER.length;
  }

  /** The segment keeps its plain name until its compressed copy is whole, so that there is always one to read. */
  async #close(): Promise<void> {
    const [fd, path] = [this.#fd, this.#path()];
    this.#guard("close", () => {
      fsyncSync(fd);
      closeSync(fd);
    });
    try {
      await pipeline(createReadStream(path), createGzip({ level: 6 }), createWriteStream(`${path}.gz.tmp`, { flush: true }));
      renameSync(`${path}.gz.tmp`, `${path}.gz`);
      rmSync(path);
    } catch (cause) {
      throw this.#failure("compress", cause);
    }
  }

  #path(): string {
    return join(this.#dir, `${String(this.#segment).padStart(6, "0")}.seg`);
  }

  #guard(what: string, act: () => void): void {
    try {
      act();
    } catch (cause) {
      throw this.#failure(what, cause);
    }
  }

  #failure(what: string, cause: unknown): JoulebenchError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new JoulebenchError(
      "sink",
      this.#segment < 0 ? this.#dir : this.#path(),
      `cannot ${what} the tape (${reason}); free space or choose another --out`,
      { cause },
    );
  }
}
