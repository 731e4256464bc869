import { hostToSession } from "../model/clock.ts";
import type { FaultCode } from "../model/errors.ts";
import type { EventParser, LoggedEvent } from "../model/parser.ts";
import type { TapeRecord } from "../model/tape.ts";
import { parsers } from "../parsers/index.ts";
import type { Rig } from "../rig/rig.ts";
import { HEARTBEAT_IDS, parsePing, parsePong } from "../wire/ping.ts";
import { PULSES_LINE, parseSync } from "../wire/pulses.ts";
import { parseClock, parseTie, type ResponderClock } from "../wire/responder.ts";
import type { Observation } from "./observation.ts";
import type { UnitStatement } from "./workload.ts";

/** The source under which the device's workload stands on the tape. */
export const DEVICE = "device";
/** The source under which the loop stands that answers pings where the workload does not. */
export const RESPONDER = "device-clock";

/** Pings whose answer is still awaited; older ones are given up. */
const MOST_PENDING = 256;
/** Distinct unread lines that are quoted in a fault; the rest are only counted. */
const MOST_QUOTED = 5;

/**
 * Decodes what comes from the device and goes to it: pongs, the end of the workload, and whatever the event parser
 * understands.
 *
 * Every life of the clock that answers is a `channel`, counted from 0: a workload's process has one of its own; a
 * responder's is the device's, which goes on until the device boots anew or another clock of it answers.
 */
export class DeviceDecoder {
  readonly #parserKind: string;
  readonly #sent = new Map<number, number>();
  #parser: EventParser | undefined;
  #channel = -1;
  #hasResponder = false;
  #bootId: string | undefined;
  #isLost = false;
  /** What the responder of this channel said of its clock. */
  #clock: ResponderClock | undefined;
  #quoted = 0;
  #out: Observation[] = [];

  constructor(rig: Rig) {
    this.#parserKind = parserOf(rig);
  }

  push({ source, kind, bytes, host_ns }: TapeRecord): Observation[] {
    this.#out = [];
    const text = new TextDecoder().decode(bytes).trimEnd();
    if (kind === "control") this.#control(JSON.parse(text) as Said, host_ns);
    else if (source === RESPONDER) this.#responder(kind, text, host_ns);
    else if (kind === "open") this.#open(JSON.parse(text) as Said, host_ns);
    else if (kind === "close") this.#close(JSON.parse(text) as Said, host_ns);
    else if (kind === "tx") this.#sentLine(text, host_ns);
    else if (kind === "rx") this.#line(text, host_ns);
    return this.#out;
  }

  /** What the session states: who is there, or when a unit of work began and ended that no engine knows of. */
  #control({ identity, statement }: Said, host_ns: number): void {
    if (identity) this.#out.push({ type: "identity", source: DEVICE, facts: identity });
    if (statement) this.#event({ ...statement, tick: host_ns / 1e9, clock: "host" }, host_ns);
  }

  #responder(kind: TapeRecord["kind"], text: string, host_ns: number): void {
    if (kind === "open") this.#answers((JSON.parse(text) as Said).boot_id, host_ns);
    else if (kind === "close") this.#lost((JSON.parse(text) as Said).lost, host_ns);
    else if (kind === "tx") this.#pinged(text, host_ns);
    else if (kind === "rx") this.#answer(text, host_ns);
  }

  /** A responder begins to answer: on the clock of the one before it, unless the device has booted meanwhile. */
  #answers(bootId: string | undefined, host_ns: number): void {
    this.#returned(host_ns);
    if (!this.#hasResponder || bootId === undefined || bootId !== this.#bootId) this.#begin();
    this.#hasResponder = true;
    this.#bootId = bootId;
    this.#sent.clear();
  }

  /** What comes now is of another clock. */
  #begin(): void {
    this.#channel++;
    this.#clock = undefined;
  }

  #open({ resumed = false }: Said, host_ns: number): void {
    if (!this.#hasResponder) {
      this.#channel++;
      this.#sent.clear();
      this.#returned(host_ns);
    }
    if (resumed && this.#parser) return;
    this.#parser = parsers.find((each) => each.kind === this.#parserKind)?.open();
  }

  /** @param reason none when the link was let go on purpose */
  #lost(reason: string | undefined, host_ns: number): void {
    if (reason === undefined) return;
    this.#isLost = true;
    this.#fault("link_failed", host_ns, reason);
  }

  /** Once for each loss, however often the way back was tried. */
  #returned(host_ns: number): void {
    if (this.#isLost) this.#fault("link_reopened", host_ns);
    this.#isLost = false;
  }

  #close({ lost }: Said, host_ns: number): void {
    this.#lost(lost, host_ns);
    if (lost !== undefined) return;
    for (const event of this.#parser?.end() ?? []) this.#event(event, host_ns);
    this.#parser = undefined;
  }

  #sentLine(line: string, host_ns: number): void {
    if (line === PULSES_LINE) this.#out.push({ type: "pulses_asked", epoch: this.#channel, host_ns });
    if (this.#pinged(line, host_ns)) return;
    for (const event of this.#parser?.sent?.(line, host_ns) ?? []) this.#event(event, host_ns);
  }

  /** @returns whether the line is a ping */
  #pinged(line: string, host_ns: number): boolean {
    const id = parsePing(line);
    if (id === undefined) return false;
    if (id >= HEARTBEAT_IDS) return true;
    if (this.#sent.size >= MOST_PENDING) {
      const oldest = this.#sent.keys().next().value;
      if (oldest !== undefined) this.#sent.delete(oldest);
      this.#fault("ping_lost", host_ns);
    }
    this.#sent.set(id, host_ns);
    return true;
  }

  /** @returns whether the line says something of the clock */
  #answer(line: string, host_ns: number): boolean {
    const clock = parseClock(line);
    if (clock) this.#hello(clock);
    const tie = clock ? undefined : parseTie(line);
    if (tie) this.#out.push({ type: "tie", tie, channel: this.#channel });
    return clock !== undefined || tie !== undefined || this.#pong(line, host_ns);
  }

  /** A responder on another clock, or one that reads it in another way, does not go on with that of the one before it. */
  #hello(clock: ResponderClock): void {
    if (this.#clock && (clock.clock !== this.#clock.clock || clock.forks !== this.#clock.forks)) this.#begin();
    this.#clock = clock;
    this.#out.push({ type: "clock", clock, channel: this.#channel });
  }

  #pong(line: string, host_ns: number): boolean {
    const pong = parsePong(line);
    if (!pong) return false;
    const sent_ns = this.#sent.get(pong.id);
    if (sent_ns === undefined) return true;
    this.#sent.delete(pong.id);
    const ping = {
      source: DEVICE,
      epoch: this.#channel,
      sent_s: hostToSession(sent_ns),
      received_s: hostToSession(host_ns),
      deviceReceived: pong.deviceReceived_s,
      deviceSent: pong.deviceSent_s,
    };
    this.#out.push({ type: "ping", ping }, { type: "pong", id: pong.id, host_ns });
    return true;
  }

  #line(line: string, host_ns: number): void {
    if (this.#pong(line, host_ns)) return;
    if (isDone(line)) {
      this.#out.push({ type: "done", source: DEVICE });
      return;
    }
    const sync = this.#sync(line, host_ns);
    if (sync) {
      this.#out.push(sync);
      return;
    }
    const events = this.#parser?.push(line, host_ns);
    for (const event of events ?? []) this.#event(event, host_ns);
    if (!events && line.trim() !== "") this.#fault("unread_line", host_ns, ++this.#quoted <= MOST_QUOTED ? line.slice(0, 80) : undefined);
  }

  /** What the line says about load pulses or the trigger line. */
  #sync(line: string, host_ns: number): Observation | undefined {
    const sync = parseSync(line);
    const epoch = this.#channel;
    if (!sync) return undefined;
    if (sync.type === "pulse") {
      const { pulse, isOnPongs } = sync;
      return { type: "pulse", epoch, on: pulse.on_s, off: pulse.off_s, isOnPongs };
    }
    if (sync.type === "trigger") return { type: "trigger", epoch, level: sync.level, tick: sync.time_s, host_ns };
    return { type: "pulses_answered", answer: sync.type === "pulses_done" ? "done" : "unsupported", host_ns };
  }

  #event(event: LoggedEvent, host_ns: number): void {
    this.#out.push({ type: "event", event, channel: this.#channel, host_ns });
  }

  #fault(code: FaultCode, host_ns: number, detail?: string): void {
    const fault = { source: DEVICE, code, count: 1, at_s: host_ns / 1e9, ...(detail === undefined ? {} : { detail }) };
    this.#out.push({ type: "fault", fault });
  }
}

/** What the session states on the tape about the device. */
interface Said {
  readonly identity?: Readonly<Record<string, string>>;
  readonly statement?: UnitStatement;
  readonly boot_id?: string;
  readonly lost?: string;
  readonly resumed?: boolean;
}

const parserOf = (rig: Rig): string => rig.device?.events ?? "jsonl";

/** The workload says that it is through; it goes on answering pings. */
function isDone(line: string): boolean {
  if (!line.includes('"done"')) return false;
  try {
    return (JSON.parse(line) as { type?: unknown }).type === "done";
  } catch {
    return false;
  }
}
