import { basename, dirname } from "node:path";
import type { Disk } from "./disk.ts";
import type { Mark } from "./held.ts";
import { SEGMENT_HEADER } from "./record.ts";

/** What came of a write: how much was taken, and why no more, if it was not all. */
export interface Written {
  readonly written: number;
  readonly cause?: unknown;
}

/** One segment while it is written. */
export class SegmentFile {
  readonly path: string;
  /** Bytes in it, header included. */
  length = 0;
  /** The last record handed to the kernel, once there is one. */
  last: Mark | undefined;
  /** The disk has acknowledged something of it. */
  isProven = false;
  /** False once the disk has refused something: nothing it says of this file afterwards is believed. */
  isTrusted = true;
  readonly #disk: Disk;
  readonly #fd: number;
  #syncing: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  /** Makes the file with its header; fails with the system's error, and then leaves none behind if it can. */
  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.path = path;
    this.#fd = disk.create(path);
    const { cause } = this.write(SEGMENT_HEADER, 0);
    if (cause === undefined) return;
    quietly(() => disk.close(this.#fd));
    quietly(() => disk.remove(path));
    throw cause;
  }

  get name(): string {
    return basename(this.path);
  }

  /** Hands `bytes` from `at` on to the kernel. A full disk shows first as a short write. */
  write(bytes: Uint8Array, at: number): Written {
    let written = at;
    try {
      while (written < bytes.length) written += this.#disk.write(this.#fd, bytes, written);
    } catch (cause) {
      this.length += written - at;
      return { written, cause };
    }
    this.length += written - at;
    return { written };
  }

  /** Resolves when everything handed over before the call is on the disk, and the file's name too. */
  sync(): Promise<void> {
    const done = this.#sync();
    this.#syncing = done.catch(() => {});
    return done;
  }

  async #sync(): Promise<void> {
    await this.#disk.fdatasync(this.#fd);
    if (this.isProven) return;
    const tape = dirname(this.path);
    // The session's folder was made together with the first segment.
    for (const folder of [tape, dirname(tape)]) await this.#disk.syncFolder(folder);
  }

  /** Closes it, once, when no sync is under way: until then its number must not become another file's. */
  close(): Promise<void> {
    this.#closed ??= this.#syncing.then(() => quietly(() => this.#disk.close(this.#fd)));
    return this.#closed;
  }
}

/** For what follows a failure: a second one says nothing new. */
export function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // What is wrong has been said already.
  }
}
