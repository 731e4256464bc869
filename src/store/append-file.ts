import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { JoulebenchError } from "../model/errors.ts";

/** Bytes gathered before they are handed to the kernel. */
const HELD_BYTES = 256 * 1024;

/** A file of the trace that only grows. @throws JoulebenchError `sink` from every method once the disk has refused something */
export class AppendFile {
  readonly path: string;
  readonly #fd: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  /** @param flags `wx` for a new file, `a` to go on with one */
  constructor(path: string, flags: "wx" | "a") {
    this.path = path;
    this.#fd = refusable(path, "open", () => openSync(path, flags));
  }

  /** Takes the bytes, which the caller must not change afterwards. */
  append(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= HELD_BYTES) this.flush();
  }

  /** Hands everything appended so far to the kernel, so that a reader sees it. */
  flush(): void {
    if (this.#heldBytes === 0) return;
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    refusable(this.path, "write", () => {
      // A full disk shows first as a short write.
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    });
  }

  /** Flushes, asks the disk to keep it all, and closes. */
  close(): void {
    this.flush();
    refusable(this.path, "sync", () => fsyncSync(this.#fd));
    this.release();
  }

  /** Closes without keeping. */
  release(): void {
    refusable(this.path, "close", () => closeSync(this.#fd));
  }
}

/** Asks the disk to keep the names in the folder of `path`. */
export function syncFolderOf(path: string): void {
  refusable(path, "sync the folder of", () => {
    const fd = openSync(dirname(path), "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

/** Does what the disk may refuse. @throws JoulebenchError `sink` */
export function refusable<T>(path: string, what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new JoulebenchError("sink", path, `cannot ${what} the trace (${reason}); free space, the tape holds everything`, { cause });
  }
}
