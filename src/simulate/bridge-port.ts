import { setTimeout as delay } from "node:timers/promises";
import type { HostClock, Port, PortChunk } from "../model/port.ts";
import { AvrBridge, type AvrBridgeOptions } from "./avr-host.ts";

/** Longest piece of emulated time run at once, so that a late bridge does not block the event loop. */
const SLICE_S = 0.05;
const PAUSE_MS = 1;

/**
 * Emulated bridge paced to the host's real time.
 *
 * It runs only while it is iterated; a consumer that pauses finds it behind, and it catches up: nothing is queued and
 * nothing is lost. Bytes are stamped when the emulation hands them over, at the earliest when they were due.
 */
export class BridgePort implements Port {
  readonly bridge: AvrBridge;
  readonly #now: HostClock;
  readonly #zero_ns: number;
  #pending: Uint8Array[] = [];
  #closed = false;

  /** @param poweredOn_ns host time at which the bridge was powered: its true time 0, which is the plant's time, too */
  constructor(options: Omit<AvrBridgeOptions, "onBytes">, now: HostClock, poweredOn_ns = now()) {
    this.#now = now;
    this.#zero_ns = poweredOn_ns;
    this.bridge = new AvrBridge({ ...options, onBytes: (bytes) => this.#pending.push(bytes.slice()) });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PortChunk, void, undefined> {
    while (!this.#closed) {
      const due_s = (this.#now() - this.#zero_ns) / 1e9;
      this.bridge.runUntil(Math.min(due_s, this.bridge.now_s + SLICE_S));
      const sent = this.#pending;
      this.#pending = [];
      for (const bytes of sent) yield { bytes, host_ns: this.#now() };
      await delay(PAUSE_MS);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.bridge.receive(bytes);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
