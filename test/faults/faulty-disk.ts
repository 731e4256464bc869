import { type Disk, realDisk } from "../../src/store/disk.ts";

export type Call = Exclude<keyof Disk, "free_bytes" | "makeFolder" | "remove" | "close">;
export const CALLS: readonly Call[] = ["create", "write", "fdatasync", "syncFolder", "rename", "reserve"];

const failure = (code: string, call: string): Error => Object.assign(new Error(`${code}: injected, ${call}`), { code });

/** Lets calls of one kind fail, from the `nth` one on, for `times` of them. */
export interface Injection {
  readonly call: Call;
  readonly nth: number;
  readonly times: number;
  readonly code: string;
}

/** A real disk of which some calls fail. @returns it, and how many calls of that kind there have been */
export function faultyDisk({ call, nth, times, code }: Injection): { readonly disk: Disk; readonly calls: () => number } {
  let calls = 0;
  const fails = (): boolean => {
    const k = calls++;
    return k >= nth && k < nth + times;
  };
  const real = realDisk[call] as (...args: unknown[]) => unknown;
  const isAsync = call === "fdatasync" || call === "syncFolder";
  const faulty = (...args: unknown[]): unknown => {
    if (!fails()) return real(...args);
    if (isAsync) return Promise.reject(failure(code, call));
    // A disk takes a part before it refuses: the torn record is the normal case.
    const [fd, bytes, at] = args;
    if (call === "write" && calls % 2 === 0 && bytes instanceof Uint8Array && bytes.length - Number(at) > 40)
      return real(fd, bytes.subarray(0, Number(at) + 33), at);
    throw failure(code, call);
  };
  return { disk: { ...realDisk, [call]: faulty }, calls: () => calls };
}

/** A real disk that pretends to have room for so many bytes; closing a reserve gives its own back. */
export class SmallDisk implements Disk {
  capacity: number;
  #used = 0;
  readonly #reserves = new Map<number, number>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  readonly makeFolder = realDisk.makeFolder;
  readonly create = realDisk.create;
  readonly fdatasync = realDisk.fdatasync;
  readonly syncFolder = realDisk.syncFolder;
  readonly rename = realDisk.rename;
  readonly remove = realDisk.remove;

  readonly write = (fd: number, bytes: Uint8Array, at: number): number => {
    const room = this.free_bytes();
    if (room <= 0) throw failure("ENOSPC", "write");
    const written = realDisk.write(fd, bytes.subarray(0, Math.min(bytes.length, at + room)), at);
    this.#used += written;
    return written;
  };

  readonly reserve = (path: string, bytes: number): number => {
    if (bytes > this.free_bytes()) throw failure("ENOSPC", "reserve");
    const fd = realDisk.create(path);
    realDisk.remove(path);
    this.#reserves.set(fd, bytes);
    this.#used += bytes;
    return fd;
  };

  readonly close = (fd: number): void => {
    this.#used -= this.#reserves.get(fd) ?? 0;
    this.#reserves.delete(fd);
    realDisk.close(fd);
  };

  readonly free_bytes = (): number => this.capacity - this.#used;
}
