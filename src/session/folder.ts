import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { hostname, platform, release } from "node:os";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import { SESSION_FORMAT, type SessionFile, writeJson, writeWhole } from "../store/session-file.ts";
import { VERSION } from "../store/version.ts";

/** A session folder being made. */
export interface SessionFolder {
  readonly dir: string;
  readonly session: string;
  readonly wallStart_ns: bigint;
  /** Writes `session.json`, whole or not at all. */
  describe(facts: Pick<SessionFile, "state" | "origin" | "identities"> & Partial<Pick<SessionFile, "rig" | "plan">>): void;
  /** Takes the session away again, when there was nothing to keep. Whatever else lies in the folder stays. */
  discard(): void;
}

/**
 * Makes a new folder for a session.
 *
 * @param out  the folder itself when given; else one is made below `sessions/`
 * @throws JoulebenchError `config` when it holds something already, `sink` when it cannot be made
 */
export function createSessionFolder(name: string, out: string | undefined): SessionFolder {
  const wallStart_ns = BigInt(Date.now()) * 1_000_000n;
  const started = new Date(Number(wallStart_ns / 1_000_000n)).toISOString();
  const session = `${name}-${randomBytes(4).toString("hex")}`;
  const dir = out ?? join("sessions", `${started.slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}-${session}`);
  if (existsSync(join(dir, "session.json")) || existsSync(join(dir, "tape")))
    throw new JoulebenchError("config", dir, "already holds a session; choose another --out, sessions are never overwritten");
  try {
    mkdirSync(dir, { recursive: true });
  } catch (cause) {
    throw new JoulebenchError("sink", dir, `cannot be made (${cause instanceof Error ? cause.message : cause}); choose another --out`, {
      cause,
    });
  }
  const host = { name: hostname(), system: `${platform()} ${release()}`, node: process.version };
  return {
    dir,
    session,
    wallStart_ns,
    describe: (facts) =>
      writeJson(join(dir, "session.json"), {
        format: SESSION_FORMAT,
        session,
        joulebench: VERSION,
        host,
        started,
        wallStart_ns: wallStart_ns.toString(),
        ...facts,
      } satisfies SessionFile),
    discard: () => {
      for (const name of ["session.json", "tape", "outbox"]) rmSync(join(dir, name), { recursive: true, force: true });
      if (readdirSync(dir).length === 0) rmdirSync(dir);
    },
  };
}

/** `events.jsonl`: the events as they were understood, one per line. */
export function writeEvents(dir: string, events: readonly InferenceEvent[]): void {
  writeWhole(join(dir, "events.jsonl"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

/** The boot the host is in: a session folder that outlives it has another clock. Empty where the system does not say. */
export function bootId(): string {
  const path = "/proc/sys/kernel/random/boot_id";
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
}
