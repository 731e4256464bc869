import type { SessionSeconds, TimeMap } from "../model/clock.ts";
import type { HostLog } from "./mlperf-texts.ts";

/**
 * The server's clock is read in steps of up to this: Windows advances it 64 times a second (PTDaemon's hosts run
 * Windows; in real logs two messages milliseconds apart carry one stamp).
 */
const SERVER_TICK_S = 1 / 64;

/** How far the server's clock is ahead of the client's, as the `time` exchanges of a session bound it; seconds. */
export interface HostOffset {
  readonly least_s: number;
  readonly largest_s: number;
  readonly exchanges: number;
}

/**
 * Every answer lies between the client sending its question and receiving the reply, so each exchange bounds the
 * difference from both sides. All ranges together, because the clocks are not observed in between.
 */
export function hostOffset({ messages }: HostLog): HostOffset | undefined {
  const exchanges = messages.filter(({ cmd, reply }) => cmd === "time" && Number.isFinite(Number(reply)));
  if (exchanges.length === 0) return undefined;
  return {
    least_s: Math.min(...exchanges.map(({ reply, reply_time }) => Number(reply) - reply_time)),
    largest_s: Math.max(...exchanges.map(({ reply, cmd_time }) => Number(reply) - cmd_time)),
    exchanges: exchanges.length,
  };
}

const middle_s = ({ least_s, largest_s }: HostOffset): number => (least_s + largest_s) / 2;
const bound_s = ({ least_s, largest_s }: HostOffset): number => (largest_s - least_s) / 2 + SERVER_TICK_S;

/** The client's clock on the server's: rectangular inside the bound. */
export function clientMap(source: string, offset: HostOffset): TimeMap {
  const t0_s = middle_s(offset) as SessionSeconds;
  const bound = bound_s(offset);
  return { source, epoch: 0, pieces: [{ fromTick: 0, t0_s, rate_hz: 1, u_s: bound / Math.sqrt(3), bound_s: bound }] };
}

/** What the report says of the two clocks; client minus server, the sign MLPerf's own log uses. */
export function clockFacts(offset: HostOffset): Readonly<Record<string, number | string>> {
  return {
    map: "client's clock, moved to the server's by the middle of the range of all time exchanges",
    client_minus_server_s: -middle_s(offset),
    client_minus_server_least_s: -offset.largest_s,
    client_minus_server_largest_s: -offset.least_s,
    exchanges: offset.exchanges,
    server_resolution_s: SERVER_TICK_S,
    u_s: bound_s(offset) / Math.sqrt(3),
    bound_s: bound_s(offset),
  };
}
