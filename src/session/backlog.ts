import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { waitingOf as linesWaiting, readCursor } from "../sinks/outbox.ts";

/** Longer lines are none of ours. */
const LINE_BYTES = 64 * 1024;

/** What waits for databases in outboxes, as their files say: bytes, and the age of the oldest point. */
export function waitingIn(outboxes: readonly string[], now_s = 0): { readonly bytes: number; readonly lag_s: number } {
  let [bytes, oldest_s] = [0, now_s];
  for (const outbox of outboxes.filter((each) => existsSync(each)))
    for (const kind of readdirSync(outbox)) {
      const waiting = waitingOf(join(outbox, kind));
      bytes += waiting.bytes;
      oldest_s = Math.min(oldest_s, waiting.first_s ?? oldest_s);
    }
  return { bytes, lag_s: now_s - oldest_s };
}

/** Whether a database lacks something of a session: lines that wait in its outbox, or what it had not told when it was killed. */
export const isLacking = (outbox: string): boolean =>
  existsSync(outbox) &&
  readdirSync(outbox).some((kind) => {
    const cursor = readCursor(join(outbox, kind));
    return !cursor?.whole || linesWaiting(cursor) > 0;
  });

function waitingOf(dir: string): { readonly bytes: number; readonly first_s?: number } {
  const { segment = 0, offset = 0 } = readCursor(dir) ?? {};
  const files = readdirSync(dir).filter((name) => /^\d{6}\.lp$/.test(name) && Number.parseInt(name, 10) >= segment);
  let bytes = 0;
  let first_s: number | undefined;
  for (const name of files.toSorted()) {
    const from = Number.parseInt(name, 10) === segment ? offset : 0;
    const path = join(dir, name);
    const rest = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (rest <= from) continue;
    bytes += rest - from;
    first_s ??= stampAt(path, from);
  }
  return { bytes, ...(first_s === undefined ? {} : { first_s }) };
}

/** The time of the line at `offset`, Unix seconds. */
function stampAt(path: string, offset: number): number | undefined {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(LINE_BYTES);
    const line = buffer.toString("utf8", 0, readSync(file, buffer, 0, LINE_BYTES, offset)).split("\n", 1)[0] ?? "";
    const stamp = / (\d+)$/.exec(line)?.[1];
    return stamp === undefined ? undefined : Number(stamp) / 1e9;
  } finally {
    closeSync(file);
  }
}
