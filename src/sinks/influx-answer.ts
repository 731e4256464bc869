import type { Answer } from "./delivery.ts";
import type { Reply } from "./influx-http.ts";

const REASON_LENGTH = 200;

/** Answers about the points: the same points would meet them again. */
const REJECTED = new Set([400, 422]);
const TOO_LARGE = 413;
const NOT_FOUND = 404;
/** Only these say when to come back. */
const BUSY = new Set([429, 503]);

/** What a reply to a write means. 401, 403, 404, 3xx and 5xx are about the server or the rig, so the points wait. */
export function answerOf(reply: Reply | string): Answer {
  if (typeof reply === "string") return { kind: "later", reason: reply };
  const { status, after_ms } = reply;
  if (status >= 200 && status < 300) return { kind: "kept" };
  const reason = reasonOf(reply);
  if (status === TOO_LARGE) return { kind: "too_many", reason };
  if (REJECTED.has(status)) return rejection(reply.body, reason);
  if (status === NOT_FOUND || / not found/.test(reason))
    return { kind: "later", reason: `${reason}; \`joulebench influx setup RIG\` makes what is missing` };
  return { kind: "later", reason, ...(BUSY.has(status) && after_ms !== undefined ? { after_ms } : {}) };
}

/** Points that are too old for their retention are dropped by 1.x and 2.x, and all others of the batch are kept. */
function rejection(body: string, reason: string): Answer {
  if (!/(beyond|outside) retention policy/.test(body)) return { kind: "rejected", reason };
  return { kind: "expired", points: Number(/dropped=(\d+)/.exec(body)?.[1] ?? 1), reason };
}

/** One line that is the same for the same cause: without counts, quoted points and markup. */
export function reasonOf({ status, body }: Reply): string {
  const said = saidIn(body)
    .replace(/ dropped=\d+/, "")
    .replace(/unable to parse '.*'/s, "unable to parse a point")
    .replace(/[\p{Cc}\\]+/gu, "")
    .trim();
  return `${status} ${said || "without a reason"}`.slice(0, REASON_LENGTH);
}

/** The server's words: `error` of 1.x, `message` of 2.x, `error` and what is wrong with the first line of 3.x. */
function saidIn(body: string): string {
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch {
    return "";
  }
  if (typeof content !== "object" || content === null) return "";
  const { error, message, data } = content as { error?: unknown; message?: unknown; data?: unknown };
  const first: unknown = Array.isArray(data) ? data[0] : data;
  const detail = typeof first === "object" && first !== null && "error_message" in first ? first.error_message : undefined;
  return [message ?? error, detail].filter((each) => typeof each === "string").join(": ");
}
