import type { EventParserKind } from "../model/parser.ts";
import { parseJson } from "./json-text.ts";
import { parseEvent } from "./jsonl.ts";
import { Rereads } from "./rereads.ts";
import { StatedEnds } from "./stated-ends.ts";

/** What stands before the message: a time, process, thread, level, tag (`threadtime`, and with another time `epoch`, `monotonic`). */
const PREFIX =
  /^\s*(?:(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d+(?: [+-]\d{4})?|\d+\.\d+)\s+(?:\S+\s+)?\d+\s+\d+ ([VDIWEFAS]) ([^:]{0,120}): (.*)$/;
/** logcat's own lines: where a buffer begins, or was switched to. */
const OWN = /^-{9} (?:beginning of|switch to) /;

/**
 * Reads our events out of Android's log: `adb logcat -v epoch`, `-v monotonic` or `-v threadtime`.
 *
 * The event is the JSON object after the tag, as in `jsonl`; it has its own stamp, so the log's, which is of whole
 * milliseconds and made later, is not used. Other apps' lines are theirs and tell nothing.
 */
export const logcatJsonl: EventParserKind = {
  kind: "logcat-jsonl",
  summary: "the same in lines of Android's log, after the tag",
  open: () => {
    const rereads = new Rereads();
    const ends = new StatedEnds();
    return {
      push: (line) => {
        if (OWN.test(line) || line.trim() === "") return [];
        const message = PREFIX.exec(line)?.[3];
        if (message === undefined) return undefined;
        if (!message.startsWith("{")) return [];
        const parsed = parseEvent(message);
        if (!("event" in parsed)) return isOurs(message) ? undefined : [];
        if (rereads.knows(message, parsed.event.tick)) return [];
        ends.hear(parsed.event);
        return [parsed.event];
      },
      sent: (line, host_ns) => ends.sent(line, host_ns),
      end: () => [],
    };
  },
};

/** An object that was cut off or has a wrong value; another app's whole object is not for us. */
function isOurs(message: string): boolean {
  const value = parseJson(message);
  return value === undefined || (typeof value === "object" && value !== null && "type" in value && "time_s" in value);
}
