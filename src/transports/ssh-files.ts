import { createWriteStream } from "node:fs";
import { chmod, rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { SFTPWrapper } from "ssh2";
import { JoulebenchError } from "../model/errors.ts";
import type { SshLink } from "./ssh-link.ts";

/** Ends the name under which a file arrives, so that no half of one ever bears its own. */
export const PART = ".joulebench-part";
/** Permissions, without the kind of file. */
const MODE = 0o7777;
/** SSH_FX_OP_UNSUPPORTED: a server that is not OpenSSH's. */
const UNSUPPORTED = 8;

type Done = (error: Error | null | undefined) => void;

/** Copies a file to the device, with its mode. @throws JoulebenchError `config` when one of the paths is wrong; `link` */
export function pushFile(link: SshLink, local: string, remote: string): Promise<void> {
  return copying(link, `${local} to ${remote}`, async (files) => {
    const { mode } = await stat(local);
    const part = remote + PART;
    try {
      await told((done) => files.fastPut(local, part, { mode: mode & MODE }, done));
      await told((done) => files.chmod(part, mode & MODE, done)); // The device's umask took a part of it.
      await replace(files, part, remote);
    } catch (error) {
      if (!link.loss) await told((done) => files.unlink(part, done)).catch(() => undefined);
      throw error;
    }
  });
}

/** Copies a file from the device, with its mode. @throws JoulebenchError `config` when one of the paths is wrong; `link` */
export function pullFile(link: SshLink, remote: string, local: string): Promise<void> {
  return copying(link, `${remote} to ${local}`, async (files) => {
    const part = local + PART;
    const { mode, size, isDirectory } = await new Promise<{ mode: number; size: number; isDirectory: boolean }>((resolve, reject) =>
      files.stat(remote, (error, found) =>
        error ? reject(error) : resolve({ mode: found.mode, size: found.size, isDirectory: found.isDirectory() }),
      ),
    );
    if (isDirectory) throw new Error("it is a folder");
    try {
      // Files of /proc and /sys say that they are empty, or that they hold a page.
      const isSized = size > 0 && !/^\/(proc|sys)\//.test(remote);
      if (isSized) await told((done) => files.fastGet(remote, part, done));
      else await pipeline(files.createReadStream(remote), createWriteStream(part));
      await chmod(part, mode & MODE);
      await rename(part, local);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  });
}

async function copying(link: SshLink, what: string, copy: (files: SFTPWrapper) => Promise<void>): Promise<void> {
  try {
    await link.withFiles(copy);
  } catch (error) {
    if (error instanceof JoulebenchError) throw error;
    if (link.loss) throw link.loss;
    throw new JoulebenchError("config", link.name, `cannot copy ${what}: ${(error as Error).message}`, { cause: error });
  }
}

/** Renames over what is there, in one step where the server can. */
async function replace(files: SFTPWrapper, part: string, remote: string): Promise<void> {
  try {
    await told((done) => files.ext_openssh_rename(part, remote, done));
  } catch (error) {
    const { code, message } = error as Error & { code?: number };
    if (code !== UNSUPPORTED && !/does not support/.test(message)) throw error;
    await told((done) => files.unlink(remote, done)).catch(() => undefined); // There may be none.
    await told((done) => files.rename(part, remote, done));
  }
}

/** Waits for an answer without content. */
const told = (question: (done: Done) => void): Promise<void> =>
  new Promise((resolve, reject) => question((error) => (error ? reject(error) : resolve())));
