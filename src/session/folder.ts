import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { platform, release as systemRelease } from "node:os";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import { SESSION_FORMAT, type SessionFile, writeJson, writeWhole } from "../store/session-file.ts";
import { VERSION } from "../store/version.ts";
import { hostName } from "./host-name.ts";
import { lockFile } from "./owner-lock.ts";

/** A session folder being made. */
export interface SessionFolder {
  readonly dir: string;
  readonly session: string;
  readonly host: string;
  readonly wallStart_ns: bigint;
  /** Writes `session.json`, whole or not at all. */
  describe(facts: Pick<SessionFile, "state" | "origin" | "identities"> & Partial<Pick<SessionFile, "rig" | "plan">>): void;
  /** Takes the session away again, when there was nothing to keep. Whatever else lies in the folder stays. */
  discard(): void;
  /** Lets others own it: this process writes to it no more. */
  release(): void;
}

/**
 * Makes a new folder for a session, which no other process writes to until it is released.
 *
 * @param out  the folder itself when given; else one is made below `sessions/`
 * @throws JoulebenchError `config` when it holds something already, `link` when another process is writing to it, `sink`
 *   when it cannot be made
 */
export function createSessionFolder(name: string, out: string | undefined): SessionFolder {
  const wallStart_ns = BigInt(Date.now()) * 1_000_000n;
  const started = new Date(Number(wallStart_ns / 1_000_000n)).toISOString();
  const session = `${name}-${randomBytes(4).toString("hex")}`;
  const dir = out ?? join("sessions", `${started.slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}-${session}`);
  try {
    mkdirSync(dir, { recursive: true });
  } catch (cause) {
    throw new JoulebenchError("sink", dir, `cannot be made (${cause instanceof Error ? cause.message : cause}); choose another --out`, {
      cause,
    });
  }
  const release = lockFile(join(dir, "lock"), dir, {
    subject: dir,
    heldBy: ({ pid }) => `is being written by process ${pid}; choose another --out`,
    remedy: "choose another --out",
  });
  try {
    checkEmpty(dir);
  } catch (error) {
    release();
    throw error;
  }
  const host = { name: hostName(), system: `${platform()} ${systemRelease()}`, node: process.version };
  return {
    dir,
    session,
    host: host.name,
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
      release();
      for (const name of ["session.json", "tape", "outbox"]) rmSync(join(dir, name), { recursive: true, force: true });
      if (readdirSync(dir).length === 0) rmdirSync(dir);
    },
    release,
  };
}

function checkEmpty(dir: string): void {
  if (existsSync(join(dir, "session.json")) || existsSync(join(dir, "tape")))
    throw new JoulebenchError("config", dir, "already holds a session; choose another --out, sessions are never overwritten");
}

/** `events.jsonl`: the events as they were understood, one per line. */
export function writeEvents(dir: string, events: readonly InferenceEvent[]): void {
  writeWhole(join(dir, "events.jsonl"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}
