import { hostToSession } from "../model/clock.ts";
import type { FaultCode } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { EventParser, LoggedEvent } from "../model/parser.ts";
import type { TapeRecord } from "../model/tape.ts";
import { parsers } from "../parsers/index.ts";
import type { Rig } from "../rig/rig.ts";
import { parsePing, parsePong } from "../wire/ping.ts";
import { PULSES_LINE, parseSync } from "../wire/pulses.ts";
import type { Observation } from "./observation.ts";

/** The source under which the device's channel stands on the tape. */
export const DEVICE = "device";

/** Pings whose answer is still awaited; older ones are given up. */
const MOST_PENDING = 256;
/** Distinct unread lines that are quoted in a fault; the rest are only counted. */
const MOST_QUOTED = 5;

/** Decodes the device's channel: pongs, the end of the workload, and whatever the rig's event parser understands. */
export class DeviceDecoder {
  readonly #parserKind: string;
  readonly #sent = new Map<number, number>();
  #parser: EventParser | undefined;
  #epoch = -1;
  #quoted = 0;
  #out: Observation[] = [];

  constructor(rig: Rig) {
    this.#parserKind = rig.device?.events ?? "jsonl";
  }

  push(record: TapeRecord): Observation[] {
    this.#out = [];
    if (record.kind === "open") this.#open(record.host_ns);
    else if (record.kind === "close") this.#close(record.host_ns);
    else if (record.kind === "tx") this.#sentLine(new TextDecoder().decode(record.bytes), record.host_ns);
    else if (record.kind === "rx") this.#line(new TextDecoder().decode(record.bytes).trimEnd(), record.host_ns);
    return this.#out;
  }

  #open(host_ns: number): void {
    if (++this.#epoch > 0) this.#fault("link_reopened", host_ns);
    this.#sent.clear();
    this.#parser = parsers.find((each) => each.kind === this.#parserKind)?.open();
  }

  #close(host_ns: number): void {
    for (const event of this.#parser?.end() ?? []) this.#event(event, host_ns);
    this.#parser = undefined;
  }

  #sentLine(line: string, host_ns: number): void {
    if (line.trimEnd() === PULSES_LINE) this.#out.push({ type: "pulses_asked", epoch: this.#epoch, host_ns });
    const id = parsePing(line.trimEnd());
    if (id === undefined) return;
    if (this.#sent.size >= MOST_PENDING) {
      const oldest = this.#sent.keys().next().value;
      if (oldest !== undefined) this.#sent.delete(oldest);
      this.#fault("ping_lost", host_ns);
    }
    this.#sent.set(id, host_ns);
  }

  #line(line: string, host_ns: number): void {
    const pong = parsePong(line);
    if (pong) {
      const sent_ns = this.#sent.get(pong.id);
      if (sent_ns === undefined) return;
      this.#sent.delete(pong.id);
      const ping = {
        source: DEVICE,
        epoch: this.#epoch,
        sent_s: hostToSession(sent_ns),
        received_s: hostToSession(host_ns),
        deviceReceived: pong.deviceReceived_s,
        deviceSent: pong.deviceSent_s,
      };
      this.#out.push({ type: "ping", ping }, { type: "pong", id: pong.id, host_ns });
      return;
    }
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
    const epoch = this.#epoch;
    if (!sync) return undefined;
    if (sync.type === "pulse") return { type: "pulse", epoch, on: sync.pulse.on_s, off: sync.pulse.off_s };
    if (sync.type === "trigger") return { type: "trigger", epoch, level: sync.level, tick: sync.time_s, host_ns };
    return { type: "pulses_answered", answer: sync.type === "pulses_done" ? "done" : "unsupported", host_ns };
  }

  #event(event: LoggedEvent, host_ns: number): void {
    this.#out.push({ type: "event", event: addSource(event, this.#epoch), host_ns });
  }

  #fault(code: FaultCode, host_ns: number, detail?: string): void {
    const fault = { source: DEVICE, code, count: 1, at_s: host_ns / 1e9, ...(detail === undefined ? {} : { detail }) };
    this.#out.push({ type: "fault", fault });
  }
}

const addSource = ({ clock: _clock, stamps: _stamps, log: _log, ...event }: LoggedEvent, epoch: number): InferenceEvent => ({
  ...event,
  source: DEVICE,
  epoch,
});

/** The workload says that it is through; it goes on answering pings. */
function isDone(line: string): boolean {
  if (!line.includes('"done"')) return false;
  try {
    return (JSON.parse(line) as { type?: unknown }).type === "done";
  } catch {
    return false;
  }
}
