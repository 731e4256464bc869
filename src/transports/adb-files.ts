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
    const source = await stat(local);
    if (!source.isFile()) throw new Mistake(`${local} is no file`);
    if (remote.endsWith("/")) throw new Mistake(`${remote} names a folder; give the file's name, too`);
    if ((await typeOf(link, files, remote)) === LinuxFileType.Directory) throw new Mistake(`${remote} is a folder`);
    const part = remote + PART;
    try {
      const progress = new Progress(link);
      const file = ReadableStream.from(progress.watch(createReadStream(local, { highWaterMark: 1 << 18 }))) as unknown as Source;
      const { mode, mtimeMs } = source;
      await progress.until(files.write({ filename: part, file, permission: mode & MODE, mtime: Math.floor(mtimeMs / 1000) }));
      // Old devices do not say that a link leads to a folder, and mv would put the file into it.
      const code = await link.tell(`[ ! -d ${quoteCommand([remote])} ] && ${quoteCommand(["mv", "-f", "--", part, remote])}`);
      if (code !== 0) throw new Mistake(`mv ends with exit code ${code}`);
    } catch (error) {
      if (!isLinkLost(error, link)) await link.tell(quoteCommand(["rm", "-f", "--", part])).catch(() => undefined);
      throw error;
    }
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

/** @returns undefined where there is nothing. @throws JoulebenchError `link` */
async function typeOf(link: AdbLink, files: AdbSync, remote: string): Promise<LinuxFileType | undefined> {
  try {
    return (await within(statOf(files, remote), link.limit_s, link.serial)).type;
  } catch (error) {
    if (error instanceof JoulebenchError) throw error;
    return undefined;
  }
}

async function copying(link: AdbLink, what: string, copy: (files: AdbSync) => Promise<void>): Promise<void> {
  const files = await link.files();
  try {
    await copy(files);
  } catch (error) {
    if (error instanceof JoulebenchError) throw error;
    if (link.loss) throw link.loss;
    const kind = isLinkLost(error, link) ? "link" : "config";
    throw new JoulebenchError(kind, link.serial, `cannot copy ${what}: ${(error as Error).message}`, { cause: error });
  } finally {
    void files.dispose().catch(() => undefined);
  }
}

/** Everything but what this host, the device's files or its adbd object to. */
function isLinkLost(error: unknown, link: AdbLink): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  const isMistake = error instanceof Mistake || error instanceof AdbSyncError || code !== undefined || /^E[A-Z]+$/.test(message);
  return !isMistake || link.loss !== undefined;
}

/** Old devices follow no links and do not say why. @throws Error whose message is an errno's name, such as ENOENT */
async function statOf(files: AdbSync, remote: string): Promise<{ readonly type: LinuxFileType; readonly permission: number }> {
  if (files.supportsStat) return files.stat(remote);
  return files.lstat(remote).catch((error: Error) => {
    throw error.message === "lstat error" ? new Error("ENOENT") : error;
  });
}

/** Notices that a copy stands still. */
class Progress {
  readonly #link: AdbLink;
  #last = performance.now();
  /** Why no more pieces come; the library waits for an answer to half a file then. */
  #unreadable: { readonly error: unknown } | undefined;

  constructor(link: AdbLink) {
    this.#link = link;
  }

  async *watch<T>(pieces: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      for await (const piece of pieces) {
        this.#last = performance.now();
        yield piece;
      }
    } catch (error) {
      this.#unreadable = { error };
      throw error;
    }
  }

  /** @throws JoulebenchError `link` when no piece has come for as long as an answer may take; what reading a piece threw */
  async until(done: Promise<void>): Promise<void> {
    const { serial, limit_s } = this.#link;
    let timer: NodeJS.Timeout | undefined;
    const still = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        if (this.#unreadable) reject(this.#unreadable.error);
        else if (performance.now() - this.#last > limit_s * 1000)
          reject(new JoulebenchError("link", serial, `no answer within ${limit_s} s`));
      }, 100);
    });
    await Promise.race([done, still]).finally(() => clearInterval(timer));
  }
}
