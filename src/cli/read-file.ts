import { readFileSync } from "node:fs";
import { JoulebenchError } from "../model/errors.ts";
import { parseRig, type Rig } from "../rig/rig.ts";

/** @throws JoulebenchError `config` when the file cannot be read */
export function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new JoulebenchError("config", path, `${REASONS[code ?? ""] ?? message}; expected ${what}`, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EISDIR: "is a folder",
  EACCES: "may not be read by this user",
};

export const readRig = (path: string): Rig => parseRig(readText(path, "a rig file; `joulebench init` writes one"), path);
