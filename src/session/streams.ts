import { concatMap, filter, map, merge, type Observable, scan, share } from "rxjs";
import { CausalArrivals } from "../clock/causal.ts";
import { type Block, endTick } from "../model/block.ts";
import { hostToSession, type TimeMap } from "../model/clock.ts";
import type { Fault } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { TapeRecord } from "../model/tape.ts";
import { instrumentOf, type Rig } from "../rig/rig.ts";
import { CausalDevice } from "./causal-device.ts";
import type { Decoder } from "./decoder.ts";
import type { Observation } from "./observation.ts";

type Of<T extends Observation["type"]> = Extract<Observation, { type: T }>;

const only =
  <T extends Observation["type"]>(type: T) =>
  (source: Observable<Observation>): Observable<Of<T>> =>
    source.pipe(filter((each): each is Of<T> => each.type === type));

/** A block and the map that gives its ticks session time. */
export interface TimedBlock {
  readonly block: Block;
  readonly map: TimeMap;
}

/** An event and the map that gives its tick session time. */
export interface TimedEvent {
  readonly event: InferenceEvent;
  readonly map: TimeMap;
}

/** The streams of a session, all on one clock as far as it is known at each moment. */
export interface Streams {
  readonly observations$: Observable<Observation>;
  readonly blocks$: Observable<TimedBlock>;
  readonly events$: Observable<TimedEvent>;
  readonly faults$: Observable<Fault>;
}

/**
 * Two clocks become one here: samples are placed by the map their arrivals give, events by the map the pings give,
 * each as it is known when the item passes. The same records give the same streams, live and replayed.
 */
export function streams(records$: Observable<TapeRecord>, decoder: Decoder, rig: Rig): Streams {
  const observations$ = records$.pipe(
    concatMap((record) => decoder.push(record)),
    share(),
  );
  const blocks$ = observations$.pipe(only("block"), scan(placeBlock(rig), undefined as PlacedBlock | undefined), map(timedBlock), share());
  const events$ = observations$.pipe(
    filter((each) => FOR_DEVICE.has(each.type)),
    scan(followDevice, { clock: new CausalDevice(rig.device?.clock), event: undefined as TimedEvent | undefined }),
    map(({ event }) => event),
    filter((event) => event !== undefined),
    share(),
  );
  const faults$ = observations$.pipe(
    only("fault"),
    map(({ fault }) => fault),
  );
  return { observations$, blocks$, events$, faults$ };
}

interface PlacedBlock {
  readonly clocks: Map<string, CausalArrivals>;
  readonly block: Block;
}

/** Follows the clock of every source and epoch, one estimator each. */
const placeBlock =
  (rig: Rig) =>
  (placed: PlacedBlock | undefined, { block, host_ns }: Of<"block">): PlacedBlock => {
    const clocks = placed?.clocks ?? new Map<string, CausalArrivals>();
    const key = `${block.source}/${block.epoch}`;
    let clock = clocks.get(key);
    if (!clock) {
      const { kind, options } = instrumentOf(rig, block.source);
      clock = new CausalArrivals(kind.clock(options), block.source, block.epoch);
      clocks.set(key, clock);
    }
    clock.push(endTick(block), hostToSession(host_ns));
    return { clocks, block };
  };

const timedBlock = (placed: PlacedBlock | undefined): TimedBlock => {
  const { clocks, block } = placed!;
  return { block, map: clocks.get(`${block.source}/${block.epoch}`)!.map };
};

/** What tells of the device's clock, and what it stamps. */
const FOR_DEVICE: ReadonlySet<Observation["type"]> = new Set(["ping", "clock", "tie", "event"]);

const followDevice = ({ clock }: { readonly clock: CausalDevice }, observation: Observation) => ({
  clock,
  event: clock.push(observation),
});

/** Everything that several sources send, as it comes. */
export const together = <T>(sources: readonly Observable<T>[]): Observable<T> => merge(...sources);
