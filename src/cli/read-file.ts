import { readFileSync } from "node:fs";
import { JoulebenchError } from "../model/errors.ts";
import { parseRig, type Rig } from "../rig/rig.ts";

/** @throws JoulebenchError `config` when the file cannot be read */
export function readText(path: string, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    if (cause instanceof TypeError) throw new JoulebenchError("config", path, `is not UTF-8; convert it, or name ${what}`, { cause });
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
