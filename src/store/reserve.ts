import { join } from "node:path";
import type { Disk } from "./disk.ts";

/** Space that is kept back on the tape's disk, so that a session can end in order when everything else is taken. */
export class Reserve {
  readonly bytes: number;
  readonly #disk: Disk;
  readonly #dir: string;
  #fd: number | undefined;

  constructor(disk: Disk, dir: string, bytes: number) {
    this.#disk = disk;
    this.#dir = dir;
    this.bytes = bytes;
  }

  /** Takes the space; the system's error when there is none. */
  take(): void {
    if (this.bytes > 0) this.#fd ??= this.#disk.reserve(join(this.#dir, "reserve"), this.bytes);
  }

  /** Gives the space up. @returns false when none was held */
  release(): boolean {
    if (this.#fd === undefined) return false;
    this.#disk.close(this.#fd);
    this.#fd = undefined;
    return true;
  }
}
