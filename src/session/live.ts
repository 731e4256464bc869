import { concatMap, map, merge, type Observable, share } from "rxjs";
import { analyze } from "../metrics/analyze.ts";
import { endTick } from "../model/block.ts";
import { toSession } from "../model/clock.ts";
import type { Measurement } from "../model/measurement.ts";
import { measurandOf, type Rig } from "../rig/rig.ts";
import { phases } from "../windows/phases.ts";
import type { Streams, TimedBlock, TimedEvent } from "./streams.ts";

/** Samples kept for values shown while measuring; a request that began earlier has no provisional value. */
const RING_S = 300;

/**
 * Measurements of each request, from causal maps and the samples at hand, marked `PROVISIONAL`.
 *
 * They come when the samples have passed the end of the request, which is some frames after its last event.
 */
export function provisional({ blocks$, events$ }: Streams, rig: Rig): Observable<Measurement> {
  const requests = new Requests(rig);
  return merge(blocks$.pipe(map((timed) => requests.block(timed))), events$.pipe(map((timed) => requests.event(timed)))).pipe(
    concatMap((measurements) => measurements),
    share(),
  );
}

/** Requests under way at once; one that never ends is forgotten when there are more. */
const MOST_OPEN = 64;
const NOTHING: readonly Measurement[] = [];

class Requests {
  readonly #rig: Rig;
  readonly #source: string | undefined;
  readonly #ring: TimedBlock[] = [];
  readonly #open = new Map<string, TimedEvent[]>();
  #ended: TimedEvent[][] = [];

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#source = rig.measurand?.split(".")[0];
  }

  block(timed: TimedBlock): readonly Measurement[] {
    if (timed.block.source !== this.#source) return NOTHING;
    const ring = this.#ring;
    ring.push(timed);
    const newest_s = endOf(timed);
    while (ring[0] && newest_s - endOf(ring[0]) > RING_S) ring.shift();
    const ready = this.#ended.filter((events) => timeOf(events.at(-1)!) <= newest_s);
    if (ready.length === 0) return NOTHING;
    this.#ended = this.#ended.filter((events) => !ready.includes(events));
    return ready.flatMap((events) => this.#measure(events));
  }

  event(timed: TimedEvent): readonly Measurement[] {
    const { request, type } = timed.event;
    const list = this.#open.get(request) ?? [];
    this.#open.set(request, list);
    list.push(timed);
    if (this.#open.size > MOST_OPEN) this.#open.delete(this.#open.keys().next().value!);
    if (type !== "request_end") return NOTHING;
    this.#open.delete(request);
    // Without samples there is nothing to wait for.
    if (this.#source === undefined) return this.#measure(list);
    this.#ended = [...this.#ended, list].slice(-MOST_OPEN);
    return NOTHING;
  }

  #measure(timed: readonly TimedEvent[]): Measurement[] {
    // The device's clock stepped meanwhile: how long the request took, the final values may know.
    if (timed.some((each) => each.map !== timed[0]!.map)) return [];
    const events = timed.map((each) => each.event);
    const maps = [timed[0]!.map, ...new Set(this.#ring.map((each) => each.map))];
    const measurand = measurandOf(this.#rig);
    const blocks = () => this.#ring.map((each) => each.block);
    const recording = {
      ...(measurand ? { measurand } : {}),
      maps,
      events,
      readings: [],
      idle: [],
      faults: [],
      references: [],
      clocks: {},
      blocks,
    };
    const windows = phases(events, maps).windows.filter((each) => each.phase !== "token");
    return analyze("", recording, windows).measurements.map((each) => ({ ...each, flags: [...each.flags, "PROVISIONAL"] }));
  }
}

const endOf = ({ block, map: clock }: TimedBlock): number => toSession(clock, endTick(block));
const timeOf = ({ event, map: clock }: TimedEvent): number => toSession(clock, event.tick);
