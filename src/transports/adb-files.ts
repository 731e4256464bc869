import { createReadStream } from "node:fs";
import { chmod, open, rename, rm, stat } from "node:fs/promises";
import { type AdbSync, AdbSyncError, LinuxFileType } from "@yume-chan/adb";
import { JoulebenchError } from "../model/errors.ts";
import type { AdbLink } from "./adb-link.ts";
import { within } from "./deadline.ts";
import { quoteCommand } from "./quote.ts";

/** Ends the name under which a file arrives, so that no half of one ever bears its own. */
const PART = ".joulebench-part";
/** Permissions that adb keeps; adbd drops the others. */
const MODE = 0o777;

type Source = Parameters<AdbSync["write"]>[0]["file"];

/** Copies a file to the device, with its mode. @throws JoulebenchError `config` when one of the paths is wrong; `link` */
export function pushFile(link: AdbLink, local: string, remote: string): Promise<void> {
  return copying(link, `${local} to ${remote}`, async (files) => {
    const { mode, mtimeMs } = await stat(local);
    const there = await statOf(files, remote).catch(() => undefined);
    if (there?.type === LinuxFileType.Directory) throw new Mistake(`${remote} is a folder`);
    const part = remote + PART;
    const progress = new Progress(link);
    const file = ReadableStream.from(progress.watch(createReadStream(local, { highWaterMark: 1 << 18 }))) as unknown as Source;
    await progress.until(files.write({ filename: part, file, permission: mode & MODE, mtime: Math.floor(mtimeMs / 1000) }));
    await link.tell(quoteCommand(["mv", "-f", part, remote]));
  });
}

/** Copies a file from the device, with its mode. @throws JoulebenchError `config` when one of the paths is wrong; `link` */
export function pullFile(link: AdbLink, remote: string, local: string): Promise<void> {
  return copying(link, `${remote} to ${local}`, async (files) => {
    const { type, permission } = await within(statOf(files, remote), link.limit_s, link.serial);
    if (type === LinuxFileType.Directory) throw new Mistake(`${remote} is a folder`);
    const part = local + PART;
    try {
      const file = await open(part, "w");
      const progress = new Progress(link);
      const write = async (): Promise<void> => {
        for await (const bytes of progress.watch(files.read(remote))) await file.write(bytes);
      };
      await progress.until(write()).finally(() => file.close());
      await chmod(part, permission & MODE);
      await rename(part, local);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  });
}

/** What is wrong with a path. */
class Mistake extends Error {}

async function copying(link: AdbLink, what: string, copy: (files: AdbSync) => Promise<void>): Promise<void> {
  const files = await link.files();
  try {
    await copy(files);
  } catch (error) {
    if (error instanceof JoulebenchError) throw error;
    if (link.loss) throw link.loss;
    const { message, code } = error as NodeJS.ErrnoException;
    const isMistake = error instanceof Mistake || error instanceof AdbSyncError || code !== undefined || /^E[A-Z]+$/.test(message);
    throw new JoulebenchError(isMistake ? "config" : "link", link.serial, `cannot copy ${what}: ${message}`, { cause: error });
  } finally {
    void files.dispose().catch(() => undefined);
  }
}

/** Old devices tell of links only what they are themselves. @throws Error whose message is an errno's name, such as ENOENT */
async function statOf(files: AdbSync, remote: string): Promise<{ readonly type: LinuxFileType; readonly permission: number }> {
  const found = files.supportsStat ? await files.stat(remote) : await files.lstat(remote);
  if (found.mode === 0) throw new Error("ENOENT");
  return found;
}

/** Notices that a copy stands still. */
class Progress {
  readonly #link: AdbLink;
  #last = performance.now();

  constructor(link: AdbLink) {
    this.#link = link;
  }

  async *watch<T>(pieces: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    for await (const piece of pieces) {
      this.#last = performance.now();
      yield piece;
    }
  }

  /** @throws JoulebenchError `link` when no piece has come for as long as an answer may take */
  async until(done: Promise<void>): Promise<void> {
    const { serial, limit_s } = this.#link;
    let timer: NodeJS.Timeout | undefined;
    const still = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        if (performance.now() - this.#last > limit_s * 1000) reject(new JoulebenchError("link", serial, `no answer within ${limit_s} s`));
      }, 100);
    });
    await Promise.race([done, still]).finally(() => clearInterval(timer));
  }
}
