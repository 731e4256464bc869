import { Continuity } from "../clock/continuity.ts";
import { type Block, endTick } from "../model/block.ts";
import { hostToSession } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Driver } from "../model/instrument.ts";
import type { TapeRecord } from "../model/tape.ts";
import { instrumentOf, type Rig } from "../rig/rig.ts";
import type { Observation } from "./observation.ts";

/** The reason of a `close` record that is no failure. */
export const CLOSED = "closed";

/** Where a driver's writes go: to the port while measuring, nowhere on replay. */
export type Write = (source: string, bytes: Uint8Array) => void;

/**
 * Decodes the records of one instrument: a driver per `open` record, until `close` or until the driver gives up.
 *
 * An epoch begins with each, and wherever ticks lose their relation to time in between.
 */
export class InstrumentDecoder {
  readonly #source: string;
  readonly #rig: Rig;
  readonly #write: Write;
  #driver: Driver | undefined;
  #continuity: Continuity;
  #opened = 0;
  #epoch = -1;
  #announced = { ready: false, stopped: false };
  #out: Observation[] = [];
  #host_ns = 0;

  constructor(source: string, rig: Rig, write: Write) {
    this.#source = source;
    this.#rig = rig;
    this.#write = write;
    this.#continuity = this.#newContinuity();
  }

  push({ kind, bytes, host_ns }: TapeRecord): Observation[] {
    this.#out = [];
    this.#host_ns = host_ns;
    if (kind === "open") this.#open();
    else if (kind === "close") this.#close(bytes);
    else if (kind === "rx" || kind === "tick") this.#decode(bytes, host_ns);
    return this.#out;
  }

  /** Records before this host time are not on the tape: a driver that waited for them has nothing to complain of. */
  lapsed(host_ns: number): void {
    this.#driver?.lapsed?.(host_ns);
  }

  /** What to send so that the instrument is left quiet; undefined when it is not streaming. */
  stop(): Uint8Array | undefined {
    return this.#driver?.stop?.();
  }

  #open(): void {
    const { kind, options } = instrumentOf(this.#rig, this.#source);
    const source = this.#source;
    const opened = this.#opened++;
    this.#epoch++;
    this.#continuity = this.#newContinuity();
    this.#announced = { ready: false, stopped: false };
    this.#driver = kind.open(options, {
      source,
      epoch: opened,
      write: (bytes) => this.#write(source, bytes),
      fault: (code, count, detail) => this.#fault(code, count, detail),
      identity: (facts) => this.#out.push({ type: "identity", source, facts }),
      edge: (input, level, tick) => this.#out.push({ type: "edge", source, epoch: this.#epoch, input, level, tick }),
    });
    if (opened > 0) this.#fault("link_reopened", 1);
  }

  #close(bytes: Uint8Array): void {
    // A driver that gave up has said so already. The reason stays on the tape: it may name a path.
    if (this.#driver && (JSON.parse(new TextDecoder().decode(bytes)) as { reason?: string }).reason !== CLOSED)
      this.#fault("link_failed", 1);
    this.#driver = undefined;
  }

  #decode(bytes: Uint8Array, host_ns: number): void {
    const driver = this.#driver;
    if (!driver) return;
    try {
      for (const block of driver.push({ bytes, host_ns })) this.#block(block, host_ns);
    } catch (error) {
      if (!(error instanceof JoulebenchError)) throw error;
      this.#driver = undefined;
      this.#fault(error.kind === "link" ? "link_failed" : "bad_frame", 1, error.message);
      this.#out.push({ type: "failed", source: this.#source, error });
      return;
    }
    if (driver.ready && !this.#announced.ready) {
      this.#announced.ready = true;
      this.#out.push({ type: "ready", source: this.#source });
    }
    if (driver.stopped && !this.#announced.stopped) {
      this.#announced.stopped = true;
      this.#out.push({ type: "stopped", source: this.#source });
    }
  }

  #block(block: Block, host_ns: number): void {
    const host_s = hostToSession(host_ns);
    const broken = this.#continuity.push([block.startTick, endTick(block)], host_s);
    if (broken) {
      this.#epoch++;
      this.#fault("clock_restart", 1, broken.reason);
      this.#out.push({ type: "break", source: this.#source, from_s: broken.since_s, to_s: host_s });
    }
    this.#out.push({ type: "block", block: { ...block, epoch: this.#epoch }, host_ns });
  }

  #newContinuity(): Continuity {
    const { kind, options } = instrumentOf(this.#rig, this.#source);
    return new Continuity(kind.clock(options));
  }

  #fault(
    code: Parameters<Parameters<ReturnType<typeof instrumentOf>["kind"]["open"]>[1]["fault"]>[0],
    count: number,
    detail?: string,
  ): void {
    const fault = { source: this.#source, code, count, at_s: this.#host_ns / 1e9, ...(detail === undefined ? {} : { detail }) };
    this.#out.push({ type: "fault", fault });
  }
}
