import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";

/** Version of the session folder; raised when an older joulebench could misread a new one. */
export const SESSION_FORMAT = 1;

/** `session.json`: where everything came from. */
export interface SessionFile {
  readonly format: typeof SESSION_FORMAT;
  /** Name of the session; unlike its folder's it never changes. */
  readonly session: string;
  readonly joulebench: string;
  /** `recording` until the session was closed in order. */
  readonly state: "recording" | "closed" | "interrupted";
  readonly origin: { readonly run: true } | { readonly import: string };
  /** The rig and the plan as parsed; an import has none. */
  readonly rig?: unknown;
  readonly plan?: unknown;
  readonly host: Readonly<Record<string, string>>;
  /** Unix time of session zero, ISO 8601, and in nanoseconds as a decimal string. */
  readonly started: string;
  readonly wallStart_ns: string;
  readonly identities: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
}

/** @throws JoulebenchError `config` when the folder is no session, half written, or of a newer version. */
export function readSessionFile(dir: string): SessionFile {
  const path = join(dir, "session.json");
  if (!existsSync(path))
    throw new JoulebenchError(
      "config",
      dir,
      `no session.json here${existsSync(join(dir, "tape")) ? ", only a tape: the session was never begun properly" : "; is this a session folder?"}`,
    );
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new JoulebenchError(
      "config",
      path,
      "is not whole JSON: it was cut off or edited; copy it again from where the session was recorded",
      { cause },
    );
  }
  if (typeof content !== "object" || content === null || !("format" in content) || typeof content.format !== "number")
    throw new JoulebenchError("config", path, "is not a joulebench session file (no format number)");
  if (content.format > SESSION_FORMAT)
    throw new JoulebenchError(
      "config",
      path,
      `was written by a newer joulebench (format ${content.format}, this one reads ${SESSION_FORMAT}); update joulebench`,
    );
  if (!("session" in content) || typeof content.session !== "string" || !("origin" in content) || !isOrigin(content.origin))
    throw new JoulebenchError("config", path, "lacks the session's name or origin: it was edited, or only a part of it was copied");
  return content as unknown as SessionFile;
}

const isOrigin = (value: unknown): boolean =>
  typeof value === "object" && value !== null && ("run" in value || ("import" in value && typeof value.import === "string"));

/** A JSON document, written by {@link writeWhole}. */
export const writeJson = (path: string, content: unknown): void => writeWhole(path, `${JSON.stringify(content, null, 1)}\n`);

/** Writes a file so that readers see the old one or the new one, never half of it. @throws JoulebenchError `sink` */
export function writeWhole(path: string, text: string): void {
  try {
    writeFileSync(`${path}.tmp`, text, { flush: true });
    renameSync(`${path}.tmp`, path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new JoulebenchError("sink", path, `cannot be written (${reason})`, { cause });
  }
}
