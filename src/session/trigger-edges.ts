import { hostToSession } from "../model/clock.ts";
import { DEVICE } from "./device-decoder.ts";
import type { Observation } from "./observation.ts";

/** A change of the trigger line at a tick of the clock of whoever tells. */
export interface TickedEdge {
  readonly source: string;
  readonly epoch: number;
  readonly tick: number;
  readonly level: 0 | 1;
}

/** An edge the device says it made; `epoch` counts its channels. */
export interface StatedEdge extends TickedEdge {
  readonly heard_s: number;
}

/** More edges than this tell nothing new: further ones are left out. */
const MOST_EDGES = 20_000;

/** Gathers the edges the device says it made, and those the power monitor saw. */
export class TriggerEdges {
  readonly stated: StatedEdge[] = [];
  readonly seen: TickedEdge[] = [];
  readonly #source: string | undefined;

  /** @param source the power monitor, where there is one */
  constructor(source: string | undefined) {
    this.#source = source;
  }

  add(observation: Observation): void {
    if (observation.type === "trigger") {
      const { epoch, tick, level, host_ns } = observation;
      if (this.stated.length < MOST_EDGES) this.stated.push({ source: DEVICE, epoch, tick, level, heard_s: hostToSession(host_ns) });
    } else if (observation.type === "edge" && observation.source === this.#source && this.seen.length < MOST_EDGES) {
      const { source, epoch, tick, level } = observation;
      this.seen.push({ source, epoch, tick, level });
    }
  }
}
