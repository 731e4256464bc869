import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Brings `dist` up to date before the tests, because many start the program or one of its processes.
 *
 * Does nothing where `dist` is newer than every source, as after `npm run build`. Sources with type errors are
 * emitted all the same and the errors printed: judging types is the business of `npm run types`.
 */
export default function setup(): void {
  const sources = Math.max(newest("src"), mtime("tsconfig.json"), mtime("tsconfig.build.json"));
  if (newest("dist") > sources) return;
  try {
    execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    process.stderr.write(`building dist for the tests:\n${(error as { stdout?: string }).stdout ?? String(error)}`);
  }
}

const mtime = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Latest change of any file below `folder`; 0 when there is none. */
function newest(folder: string): number {
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files.reduce((latest, file) => Math.max(latest, mtime(join(folder, file))), 0);
}
