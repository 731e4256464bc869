import { mkdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import { shortHash } from "../rig/canonical.ts";
import { type Holder, holderOf, lockFile } from "./owner-lock.ts";

/** Where locks lie: of this user, on this machine, whatever folder joulebench was started in. */
const stateFolder = (): string => join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "joulebench");

const lockOf = (rigPath: string): string => join(stateFolder(), `rig-${shortHash(realpathSync(rigPath))}.lock`);

/** The process that measures with a rig; undefined while none does. */
export const rigHolder = (rigPath: string): Holder | undefined => holderOf(lockOf(rigPath));

const REMEDY = "let XDG_STATE_HOME name a folder of this user";

/**
 * Makes this process the only one that measures with a rig.
 *
 * @param rigPath the rig file; however it is named, the same file is the same rig
 * @param out where this process measures into, for whoever comes second
 * @returns lets go of the rig
 * @throws JoulebenchError `link` while another process holds it, `sink` when the lock cannot be written
 */
export function lockRig(rigPath: string, out: string): () => void {
  const [folder, path] = [stateFolder(), lockOf(rigPath)];
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new JoulebenchError("sink", path, `cannot be written (${cause instanceof Error ? cause.message : cause}); ${REMEDY}`, { cause });
  }
  return lockFile(path, out, {
    subject: rigPath,
    heldBy: (holder) => `is held by process ${holder.pid}, which measures into ${holder.out}; wait until it is done, or end it`,
    remedy: REMEDY,
  });
}
