import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const pidsOf = (folder: string): number[] => readdirSync(folder).map(Number).filter(Number.isInteger);

/** What a file or link of /proc says; undefined when the process is gone. */
function ask<T>(question: () => T): T | undefined {
  try {
    return question();
  } catch {
    return undefined;
  }
}

/** Every process of the process namespace whose first process is `init`, by its id here. */
export function processesOf(init: number): number[] {
  const namespace = ask(() => readlinkSync(`/proc/${init}/ns/pid`));
  return namespace === undefined ? [] : pidsOf("/proc").filter((pid) => ask(() => readlinkSync(`/proc/${pid}/ns/pid`)) === namespace);
}

export const childrenOf = (pid: number): number[] =>
  (ask(() => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")) ?? "").split(" ").map(Number).filter(Boolean);

export const commandOf = (pid: number): string =>
  (ask(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "").replaceAll("\0", " ").trim();

/** Signals processes that may have ended meanwhile. */
export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) ask(() => process.kill(pid, name));
}
