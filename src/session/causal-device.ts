import { CausalPings } from "../clock/causal.ts";
import { arrivalMap, logMap } from "../clock/log-clock.ts";
import { roundTrip_s } from "../clock/ping-filter.ts";
import type { TimeMap } from "../model/clock.ts";
import type { InferenceEvent } from "../model/event.ts";
import { DEVICE } from "./device-decoder.ts";
import { HOST_EPOCH, logEpoch, sourced } from "./device-time.ts";
import { ChannelClocks, type Placed } from "./event-clocks.ts";
import type { Observation } from "./observation.ts";

/** Logs under way at once are few; the map of an old one is forgotten. */
const MOST_LOGS = 16;

/** The device's time as far as it is known while the session runs, for values shown live. */
export class CausalDevice {
  readonly #clocks: ChannelClocks;
  readonly #pings = new CausalPings(DEVICE, 0);
  readonly #logs = new Map<number, TimeMap>();
  #roundTrip_s: number | undefined;

  /** @param stated the clock of stamps that do not say theirs */
  constructor(stated: ConstructorParameters<typeof ChannelClocks>[0]) {
    this.#clocks = new ChannelClocks(stated);
  }

  /** @returns an event with the map that places it; undefined for everything else, and for events that have no time yet */
  push(observation: Observation): { readonly event: InferenceEvent; readonly map: TimeMap } | undefined {
    if (this.#clocks.push(observation)) return undefined;
    if (observation.type === "ping") {
      this.#pings.push(observation.ping);
      this.#roundTrip_s = Math.min(this.#roundTrip_s ?? Number.POSITIVE_INFINITY, roundTrip_s(observation.ping));
    } else if (observation.type === "event") return this.#event(observation);
    return undefined;
  }

  #event({ event, channel, host_ns }: Extract<Observation, { type: "event" }>) {
    const placed = this.#clocks.of(channel).place(event);
    const map = placed && this.#mapOf(placed, { channel, heard_s: (event.host_ns ?? host_ns) / 1e9 });
    return map && { event: sourced(event, placed.tick, map.epoch), map };
  }

  #mapOf(placed: Placed, { channel, heard_s }: { channel: number; heard_s: number }): TimeMap | undefined {
    if (placed.on === "host") return arrivalMap({ source: DEVICE, epoch: HOST_EPOCH, roundTrip_s: this.#roundTrip_s });
    // What comes over a new channel before its first ping has no time yet.
    if (placed.on === "pongs") return this.#pings.channel === channel ? this.#pings.map : undefined;
    const known = this.#logs.get(placed.log);
    if (known) return known;
    const host = { source: DEVICE, epoch: logEpoch(placed.log), device: this.#pings.map, roundTrip_s: this.#roundTrip_s };
    const map = logMap([{ tick: placed.tick, heard_s }], host);
    if (map) this.#logs.set(placed.log, map);
    if (this.#logs.size > MOST_LOGS) this.#logs.delete(this.#logs.keys().next().value!);
    return map;
  }
}
