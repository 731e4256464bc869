import { readFileSync } from "node:fs";
import { JoulebenchError } from "../model/errors.ts";
import { parsePlan } from "../rig/plan.ts";
import { parseRig, type Rig } from "../rig/rig.ts";

/** @throws JoulebenchError `config` when the file cannot be read */
export function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause && cause.code === "ENOENT" ? "no such file" : String(cause);
    throw new JoulebenchError("config", path, `${reason}; expected ${what}`, { cause });
  }
}

/** A rig file, with the plan file in place of its own plan where one is given. */
export function readRig(path: string, planPath?: string): Rig {
  const rig = parseRig(readText(path, "a rig file; `joulebench init` writes one"), path);
  return planPath === undefined ? rig : { ...rig, plan: parsePlan(readText(planPath, "a plan file"), planPath) };
}
