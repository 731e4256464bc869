import { linkSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import { shortHash } from "../rig/canonical.ts";
import { bootId } from "./folder.ts";

/** Who holds a rig. A pid alone could be anybody's after a while: its boot and its start tell it apart. */
interface Holder {
  readonly pid: number;
  readonly boot: string;
  readonly started: string;
  readonly out: string;
}

/** Where locks lie: of this user, on this machine, whatever folder joulebench was started in. */
const stateFolder = (): string => join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "joulebench");

/** One try per stale holder; more contenders than this at one moment are no bench. */
const MOST_TRIES = 8;

/**
 * Makes this process the only one that measures with a rig.
 *
 * @param rigPath the rig file; however it is named, the same file is the same rig
 * @param out where this process measures into, for whoever comes second
 * @returns lets go of the rig
 * @throws JoulebenchError `link` while another process holds it, `sink` when the lock cannot be written
 */
export function lockRig(rigPath: string, out: string): () => void {
  const folder = stateFolder();
  const path = join(folder, `rig-${shortHash(realpathSync(rigPath))}.lock`);
  const mine = `${path}.${process.pid}`;
  const holder: Holder = { pid: process.pid, boot: bootId(), started: startOf(process.pid) ?? "", out };
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(mine, JSON.stringify(holder));
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (claim(mine, path)) return () => release(path, holder);
      const found = read(path);
      if (found && isAlive(found)) throw held(rigPath, found);
      breakStale(path, found);
    }
  } catch (cause) {
    if (cause instanceof JoulebenchError) throw cause;
    throw new JoulebenchError(
      "sink",
      path,
      `cannot be written (${cause instanceof Error ? cause.message : cause}); let XDG_STATE_HOME name a folder of this user`,
      { cause },
    );
  } finally {
    rmSync(mine, { force: true });
  }
  throw new JoulebenchError("link", rigPath, "is being locked and unlocked by others; try again");
}

/** A link is made whole or not at all, and by one process only. */
function claim(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Takes a dead process's lock away; if it meanwhile became another's, that one gets it back. */
function breakStale(path: string, stale: Holder | undefined): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // Somebody else was quicker.
  }
  const taken = read(aside);
  if (taken && taken.pid !== stale?.pid && isAlive(taken)) claim(aside, path);
  rmSync(aside, { force: true });
}

function release(path: string, holder: Holder): void {
  const found = read(path);
  if (found?.pid === holder.pid && found.boot === holder.boot && found.started === holder.started) rmSync(path, { force: true });
}

/** Undefined for what is no lock of ours, which then binds nobody. */
function read(path: string): Holder | undefined {
  try {
    const { pid, boot, started, out } = JSON.parse(readFileSync(path, "utf8")) as Partial<Holder>;
    if (typeof pid !== "number" || typeof boot !== "string" || typeof started !== "string") return undefined;
    return { pid, boot, started, out: String(out) };
  } catch {
    return undefined;
  }
}

function isAlive({ pid, boot, started }: Holder): boolean {
  if (boot !== bootId()) return false;
  const start = startOf(pid);
  if (start !== undefined && started !== "") return start === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process began, in clock ticks since boot (proc(5), field 22 of stat); undefined where there is none, or no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in brackets, which may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

const held = (rigPath: string, { pid, out }: Holder): JoulebenchError =>
  new JoulebenchError("link", rigPath, `is held by process ${pid}, which measures into ${out}; wait until it is done, or end it`);
