import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";

/**
 * Makes this process the only one that sends what a folder holds.
 *
 * @returns lets go of it
 * @throws JoulebenchError `link` while another process of this machine has it
 */
export function lockFolder(dir: string): () => void {
  const path = join(dir, "lock");
  const mine = `${path}.${process.pid}`;
  const text = JSON.stringify({ pid: process.pid, boot: boot() });
  writeFileSync(mine, text);
  try {
    const holder = holderOf(path);
    if (holder !== undefined)
      throw new JoulebenchError("link", dir, `is being sent by process ${holder}; wait until that has ended, or end it`);
    rmSync(path, { force: true });
    linkSync(mine, path);
  } finally {
    rmSync(mine, { force: true });
  }
  return () => {
    if (existsSync(path) && readFileSync(path, "utf8") === text) rmSync(path, { force: true });
  };
}

/** The process that holds the lock, if it lives. */
function holderOf(path: string): number | undefined {
  let holder: { readonly pid: number; readonly boot: string };
  try {
    holder = JSON.parse(readFileSync(path, "utf8")) as typeof holder;
  } catch {
    return undefined;
  }
  if (holder.boot !== boot()) return undefined;
  try {
    process.kill(holder.pid, 0);
    return holder.pid;
  } catch (error) {
    // EPERM: it is another user's, and alive.
    return (error as NodeJS.ErrnoException).code === "EPERM" ? holder.pid : undefined;
  }
}

/** The boot of this machine, empty where the system does not say. */
function boot(): string {
  const path = "/proc/sys/kernel/random/boot_id";
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
}
