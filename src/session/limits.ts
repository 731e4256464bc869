import { JoulebenchError } from "../model/errors.ts";
import type { Limits } from "../rig/conditions.ts";
import { temperatureAt } from "../rig/temperature.ts";
import type { DeviceCommands } from "./device-commands.ts";
import { DEAD_MS } from "./heartbeat.ts";
import { pass } from "./pass.ts";

/** As many readings in a row may be missing before a device that cannot be watched is stopped. */
const MOST_MISSING = 3;

/** The device of a running session, whose link may be lost and mended meanwhile. */
export interface WatchedDevice extends Pick<DeviceCommands, "temperatures"> {
  /** Resolves when the link is there. */
  whole(): Promise<void>;
}

/** Stands by a running session and ends it when a limit of the plan is passed. */
export class LimitWatch {
  /** Aborted when the session must end, by a limit or from outside. */
  readonly signal: AbortSignal;
  readonly #limits: Limits;
  readonly #controller = new AbortController();
  readonly #ended = new AbortController();
  #passed: string | undefined;

  constructor(limits: Limits, outside: AbortSignal) {
    this.#limits = limits;
    this.signal = AbortSignal.any([outside, this.#controller.signal]);
  }

  /** The limit that was passed, in words. */
  get passed(): string | undefined {
    return this.#passed;
  }

  /** @param mean_w of the measurand over 100 ms */
  power(mean_w: number): void {
    const { power_w } = this.#limits;
    if (power_w !== undefined && mean_w > power_w) this.#pass(`power was ${mean_w.toFixed(2)} W, over the limit of ${power_w} W`);
  }

  /** Reads the temperature until `end`, pausing while the link is mended: how long it may be lost is the session's to say. Never rejects. */
  async temperature(device: WatchedDevice): Promise<void> {
    if (this.#limits.temperature_degc === undefined) return;
    try {
      await this.#follow(() => this.#read(device));
    } catch (error) {
      this.#pass(`its temperature could not be watched: ${error instanceof Error ? error.message : error}`);
    }
  }

  end(): void {
    this.#ended.abort();
  }

  async #follow(read: () => Promise<number | undefined>): Promise<void> {
    const { temperature_degc: limit = Number.POSITIVE_INFINITY, zone = "the warmest zone", every_s } = this.#limits;
    const done = AbortSignal.any([this.signal, this.#ended.signal]);
    for (let missing = 0; !done.aborted; await pass(every_s, done)) {
      const degc = await read();
      missing = degc === undefined ? missing + 1 : 0;
      if (degc !== undefined && degc > limit) this.#pass(`${zone} was ${degc.toFixed(1)} degC, over the limit of ${limit} degC`);
      if (missing >= MOST_MISSING) this.#pass(`${zone} could not be read ${missing} times, so its limit could not be kept`);
    }
  }

  /** @returns undefined where it could not be read, be it that the link was lost */
  async #read(device: WatchedDevice): Promise<number | undefined> {
    await device.whole();
    try {
      return temperatureAt(await device.temperatures(), this.#limits.zone);
    } catch (error) {
      if (!(error instanceof JoulebenchError) || error.kind !== "link") throw error;
      await pass(DEAD_MS / 1000, this.#ended.signal); // By then the session has noticed, too.
      return undefined;
    }
  }

  #pass(what: string): void {
    if (this.#ended.signal.aborted) return;
    this.#passed ??= what;
    this.#controller.abort();
  }
}
