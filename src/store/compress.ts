import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Disk } from "./disk.ts";
import { quietly } from "./segment-file.ts";

const LEVEL = 6;
/** Written in pieces, so that the instruments are heard in between. */
const PIECE_BYTES = 1024 * 1024;

const gzipped = promisify(gzip);
const others = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Puts the compressed form of a closed segment in its place, by a name it gets when it is whole and on the disk.
 *
 * Fails with the system's error, and then the segment is as it was.
 */
export async function compress(disk: Disk, path: string): Promise<void> {
  const half = `${path}.gz.tmp`;
  try {
    const bytes = await gzipped(await readFile(path), { level: LEVEL });
    const fd = disk.create(half);
    try {
      for (let at = 0; at < bytes.length; ) {
        at += disk.write(fd, bytes.subarray(0, Math.min(bytes.length, at + PIECE_BYTES)), at);
        await others();
      }
      await disk.fdatasync(fd);
    } finally {
      disk.close(fd);
    }
    disk.rename(half, `${path}.gz`);
    await disk.syncFolder(dirname(path));
  } catch (error) {
    quietly(() => disk.remove(half));
    throw error;
  }
  disk.remove(path);
}
