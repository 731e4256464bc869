import { spawnSync } from "node:child_process";
import {
  closeSync,
  fdatasync,
  fsync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";

/**
 * The few calls by which a tape reaches its disk, so that a test can let the Nth of them fail.
 *
 * What acknowledges returns a promise and stays off the reading path. Every call fails with the system's error.
 */
export interface Disk {
  makeFolder(path: string): void;
  /** Makes a file that must not be there yet, for writing. @returns its descriptor */
  create(path: string): number;
  /** Writes what it can of `bytes` from `at` on, which may be less than all. @returns how many bytes that was */
  write(fd: number, bytes: Uint8Array, at: number): number;
  /** Resolves when the disk has the file's content. */
  fdatasync(fd: number): Promise<void>;
  /** Resolves when the disk has the folder's entries: a file is not safe before its name is. */
  syncFolder(path: string): Promise<void>;
  rename(from: string, to: string): void;
  close(fd: number): void;
  remove(path: string): void;
  /** Bytes that an unprivileged program may still take. */
  free_bytes(path: string): number;
  /** Takes space under a name that is gone at once, so that it is free again when the descriptor is closed, however that comes. */
  reserve(path: string, bytes: number): number;
}

const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);
const ZEROS = new Uint8Array(1024 * 1024);

export const realDisk: Disk = {
  makeFolder: (path) => void mkdirSync(path, { recursive: true }),
  create: (path) => openSync(path, "wx"),
  write: (fd, bytes, at) => writeSync(fd, bytes, at),
  fdatasync: (fd) => syncData(fd),
  syncFolder: async (path) => {
    const fd = openSync(path, "r");
    try {
      await syncAll(fd);
    } finally {
      closeSync(fd);
    }
  },
  rename: (from, to) => renameSync(from, to),
  close: (fd) => closeSync(fd),
  remove: (path) => rmSync(path, { force: true }),
  free_bytes: (path) => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  },
  reserve,
};

function reserve(path: string, bytes: number): number {
  rmSync(path, { force: true });
  const fd = openSync(path, "wx");
  try {
    allocate(path, fd, bytes);
    unlinkSync(path);
    return fd;
  } catch (error) {
    closeSync(fd);
    rmSync(path, { force: true });
    throw error;
  }
}

/** By fallocate(1), which writes nothing; where that is missing, or the file system cannot, by zeros. */
function allocate(path: string, fd: number, bytes: number): void {
  spawnSync("fallocate", ["--length", String(bytes), path], { stdio: "ignore" });
  const { size, blocks } = statSync(path);
  if (size === bytes && blocks * 512 >= bytes) return;
  ftruncateSync(fd, 0);
  for (let left = bytes; left > 0; ) left -= writeSync(fd, ZEROS, 0, Math.min(left, ZEROS.length), bytes - left);
}
