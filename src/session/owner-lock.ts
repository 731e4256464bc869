import { constants, copyFileSync, existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { JoulebenchError } from "../model/errors.ts";

/** Who holds something. A pid alone could be anybody's after a while: its boot and its start tell it apart. */
export interface Holder {
  readonly pid: number;
  readonly boot: string;
  readonly started: string;
  /** Where it measures into. */
  readonly out: string;
}

/** What is locked, and how a refusal says so. */
export interface Locked {
  /** As the user names it. */
  readonly subject: string;
  readonly heldBy: (holder: Holder) => string;
  /** What to do when the lock file cannot be written. */
  readonly remedy: string;
}

/** One try per stale holder; more contenders than this at one moment are no bench. */
const MOST_TRIES = 8;

/**
 * Makes this process the only owner of what `path` stands for; the lock of a process that is gone binds nobody.
 *
 * @param out where this process measures into, for whoever comes second
 * @returns lets go of it
 * @throws JoulebenchError `link` while another process holds it, `sink` when the lock cannot be written
 */
export function lockFile(path: string, out: string, { subject, heldBy, remedy }: Locked): () => void {
  const mine = `${path}.${process.pid}`;
  const holder: Holder = { pid: process.pid, boot: bootId(), started: startOf(process.pid) ?? "", out };
  try {
    writeFileSync(mine, JSON.stringify(holder));
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (claim(mine, path)) return () => release(path, holder);
      const found = read(path);
      if (found && isAlive(found)) throw new JoulebenchError("link", subject, heldBy(found));
      breakStale(path, found);
    }
  } catch (cause) {
    if (cause instanceof JoulebenchError) throw cause;
    throw new JoulebenchError("sink", path, `cannot be written (${cause instanceof Error ? cause.message : cause}); ${remedy}`, { cause });
  } finally {
    rmSync(mine, { force: true });
  }
  throw new JoulebenchError("link", subject, "is being locked and unlocked by others; try again");
}

/** The process that holds `path`; undefined where none does that is alive. */
export function holderOf(path: string): Holder | undefined {
  const found = read(path);
  return found && isAlive(found) ? found : undefined;
}

/** The boot the host is in: a session folder that outlives it has another clock. Empty where the system does not say. */
export function bootId(): string {
  const path = "/proc/sys/kernel/random/boot_id";
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
}

/** A link is made whole or not at all, and by one process only; where there are none, as on FAT, a new file has to do. */
function claim(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (!LINKLESS.has(code)) throw error;
  }
  try {
    copyFileSync(mine, path, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** What file systems without hard links answer. */
const LINKLESS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

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

export function isAlive({ pid, boot, started }: Holder): boolean {
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
