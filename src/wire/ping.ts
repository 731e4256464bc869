/** What a device answers to a ping, on its own clock. */
export interface Pong {
  readonly id: number;
  readonly deviceReceived_s: number;
  readonly deviceSent_s: number;
}

/** Longest pong worth reading; anything longer is something else. */
const PONG_LENGTH = 256;

/** Pings numbered from here on only ask whether the link is alive; their answers say nothing about clocks. */
export const HEARTBEAT_IDS = 1e12;

/** What is sent to ask a device for its time: `ping 7`. */
export const pingLine = (id: number): string => `ping ${id}`;

/** @returns the id of a ping, undefined when the line is not one */
export function parsePing(line: string): number | undefined {
  const digits = /^ping (\d{1,15})$/.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** What a device answers: `{"type":"pong","id":7,"received_s":12.3,"sent_s":12.3}`. */
export const pongLine = ({ id, deviceReceived_s, deviceSent_s }: Pong): string =>
  JSON.stringify({ type: "pong", id, received_s: deviceReceived_s, sent_s: deviceSent_s });

/** @returns undefined for whatever is not a whole pong with finite times in order */
export function parsePong(line: string): Pong | undefined {
  // Most lines are events: do not parse those twice.
  if (line.length > PONG_LENGTH || !line.includes('"pong"')) return undefined;
  const value = parseJson(line);
  if (typeof value !== "object" || value === null || !("type" in value) || value.type !== "pong") return undefined;
  const { id, received_s, sent_s } = value as Readonly<Record<string, unknown>>;
  if (!isFiniteNumber(id) || !isFiniteNumber(received_s) || !isFiniteNumber(sent_s)) return undefined;
  if (!Number.isSafeInteger(id) || id < 0 || sent_s < received_s) return undefined;
  return { id, deviceReceived_s: received_s, deviceSent_s: sent_s };
}

const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
