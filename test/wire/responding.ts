import type { Channel, Line, Transport } from "../../src/model/transport.ts";
import { transports } from "../../src/transports/index.ts";
import { parsePong, pingLine } from "../../src/wire/ping.ts";
import { type ClockTie, parseClock, parseTie, type ResponderClock, TIE_LINE } from "../../src/wire/responder.ts";

const local = transports.find((each) => each.kind === "local")!;

/** This host's CLOCK_MONOTONIC. */
export const monotonic_s = (): number => Number(process.hrtime.bigint()) / 1e9;

/** A ping on this host's monotonic clock, with the answer on the responder's. */
export interface Answered {
  readonly sent_s: number;
  readonly received_s: number;
  readonly deviceReceived_s: number;
  readonly deviceSent_s: number;
}

/** A responder running as a process of this host, through the local transport. */
export class Responding {
  readonly channel: Channel;
  readonly #transport: Transport;
  readonly #lines: AsyncIterator<Line>;
  #pings = 0;

  private constructor(transport: Transport, channel: Channel) {
    this.#transport = transport;
    this.channel = channel;
    this.#lines = channel.lines[Symbol.asyncIterator]();
  }

  static async start(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Responding> {
    const transport = await local.open({ kind: "local", environment }, () => Number(process.hrtime.bigint()));
    return new Responding(transport, await transport.open(argv));
  }

  /** The next line; undefined at the end. */
  async line(): Promise<Line | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : value;
  }

  /** What it says of itself; the first line is nothing else. */
  async clock(): Promise<ResponderClock> {
    const line = await this.line();
    const clock = parseClock(line?.text ?? "");
    if (!clock) throw new Error(`no responder: ${line?.text}`);
    return clock;
  }

  async ping(): Promise<Answered> {
    const id = this.#pings++;
    const sent_s = monotonic_s();
    await this.channel.write(pingLine(id));
    const line = await this.line();
    const pong = parsePong(line?.text ?? "");
    if (pong?.id !== id) throw new Error(`no answer to ping ${id}: ${line?.text}`);
    return { sent_s, received_s: line!.host_ns / 1e9, deviceReceived_s: pong.deviceReceived_s, deviceSent_s: pong.deviceSent_s };
  }

  async tie(): Promise<ClockTie> {
    await this.channel.write(TIE_LINE);
    const line = await this.line();
    const tie = parseTie(line?.text ?? "");
    if (!tie) throw new Error(`no tie: ${line?.text}`);
    return tie;
  }

  /** The narrowest of eight: a process that was kept waiting knows less. */
  async bestTie(): Promise<ClockTie> {
    const ties: ClockTie[] = [];
    for (let k = 0; k < 8; k++) ties.push(await this.tie());
    return ties.reduce((best, each) => (widthOf(each) < widthOf(best) ? each : best));
  }

  close(): Promise<void> {
    return this.#transport.close();
  }
}

export const widthOf = ({ realtimeFrom_s, realtimeTo_s }: ClockTie): number => realtimeTo_s - realtimeFrom_s;
