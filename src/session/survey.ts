import { ArrivalEnvelope } from "../clock/arrival-map.ts";
import { endTick } from "../model/block.ts";
import { hostToSession } from "../model/clock.ts";
import type { Fault } from "../model/errors.ts";
import type { Ping } from "../model/ping.ts";
import type { ClockBreak } from "../model/recording.ts";
import type { Lapse, TapeRecord } from "../model/tape.ts";
import { instrumentOf, type Rig } from "../rig/rig.ts";
import { Decoder } from "./decoder.ts";
import type { HeardEvent } from "./device-time.ts";
import { ChannelClocks } from "./event-clocks.ts";
import type { Mark, Observation } from "./observation.ts";
import { type PulseTrain, PulseTrains, type TickedPulse } from "./pulse-trains.ts";
import { TriggerEdges } from "./trigger-edges.ts";

/** All that a tape holds besides its samples, which are too many to keep. */
export interface Survey {
  /** Arrival of samples by `source/epoch`. */
  readonly arrivals: ReadonlyMap<string, { readonly source: string; readonly epoch: number; readonly envelope: ArrivalEnvelope }>;
  readonly pings: readonly Ping[];
  readonly events: readonly HeardEvent[];
  /** The device's clocks, as far as they were read together. */
  readonly eventClocks: ChannelClocks;
  /** Where a source's ticks lost their relation to time. */
  readonly breaks: readonly ClockBreak[];
  /** What the tape says it could not keep. */
  readonly lapses: readonly Lapse[];
  readonly faults: readonly Fault[];
  readonly idle: readonly (readonly [number, number])[];
  readonly identities: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
  /** Load pulses asked of the device, with the samples around them, and edges of the trigger line. */
  readonly trains: readonly PulseTrain[];
  readonly triggers: TriggerEdges;
}

/** First pass over a tape: everything but the samples, and what their arrival says about the clocks. */
export function survey(records: Iterable<TapeRecord>, rig: Rig): Survey {
  const collector = new Collector(rig);
  const decoder = new Decoder(rig);
  for (const record of records) for (const observation of decoder.push(record)) collector.add(observation);
  return collector.survey();
}

class Collector {
  readonly #rig: Rig;
  readonly #arrivals = new Map<string, { source: string; epoch: number; envelope: ArrivalEnvelope }>();
  readonly #pings: Ping[] = [];
  readonly #events: HeardEvent[] = [];
  readonly #eventClocks: ChannelClocks;
  readonly #breaks: ClockBreak[] = [];
  readonly #lapses: Lapse[] = [];
  readonly #faults = new Map<string, Fault>();
  readonly #idle: [number, number][] = [];
  readonly #identities: Record<string, Readonly<Record<string, string | number>>> = {};
  readonly #trains: PulseTrains;
  readonly #triggers: TriggerEdges;
  #idleSince_s: number | undefined;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#eventClocks = new ChannelClocks(rig.device?.clock);
    const source = rig.measurand?.split(".")[0];
    this.#trains = new PulseTrains(source);
    this.#triggers = new TriggerEdges(source);
  }

  add(observation: Observation): void {
    this.#trains.add(observation);
    this.#triggers.add(observation);
    this.#eventClocks.push(observation);
    if (observation.type === "block") {
      const { source, epoch } = observation.block;
      const key = `${source}/${epoch}`;
      const found = this.#arrivals.get(key) ?? { source, epoch, envelope: this.#newEnvelope(source) };
      this.#arrivals.set(key, found);
      found.envelope.push(endTick(observation.block), hostToSession(observation.host_ns));
    } else if (observation.type === "ping") this.#pings.push(observation.ping);
    else if (observation.type === "event") this.#event(observation);
    else if (observation.type === "break") this.#break(observation);
    else if (observation.type === "lapse") this.#lapses.push(observation.lapse);
    else if (observation.type === "fault") this.#fault(observation.fault);
    else if (observation.type === "identity") this.#identities[observation.source] = observation.facts;
    else if (observation.type === "mark") this.#mark(observation.mark, hostToSession(observation.host_ns));
  }

  survey(): Survey {
    return {
      arrivals: this.#arrivals,
      pings: this.#pings,
      events: this.#events,
      eventClocks: this.#eventClocks,
      breaks: this.#breaks,
      lapses: this.#lapses,
      faults: [...this.#faults.values()],
      idle: this.#idle,
      identities: this.#identities,
      trains: this.#trains.trains.map((train) => ({
        ...train,
        pulses: train.pulses.flatMap((pulse) => this.#onPongs(pulse, train.channel)),
      })),
      triggers: this.#triggers,
    };
  }

  #event({ event, channel, host_ns }: Extract<Observation, { type: "event" }>): void {
    this.#events.push({ event, channel, heard_s: hostToSession(event.host_ns ?? host_ns) });
  }

  /** A pulse on the clock of the pongs; none where no tie relates the clock that stamped it to that one. */
  #onPongs(pulse: TickedPulse, channel: number): TickedPulse[] {
    const { on, off, isOnPongs } = pulse;
    if (isOnPongs) return [pulse];
    const clocks = this.#eventClocks.of(channel);
    const [begin, end] = [clocks.convert(on), clocks.convert(off)];
    return begin && end ? [{ on: begin.tick, off: end.tick, isOnPongs: true }] : [];
  }

  #newEnvelope(source: string): ArrivalEnvelope {
    const { kind, options } = instrumentOf(this.#rig, source);
    return new ArrivalEnvelope(kind.clock(options).nominal_hz);
  }

  /** Faults of one kind become one, with the time of the first and the sum of the counts: they may be many. */
  #fault(fault: Fault): void {
    const key = `${fault.source}/${fault.code}`;
    const seen = this.#faults.get(key);
    this.#faults.set(key, seen ? { ...seen, count: seen.count + fault.count } : fault);
  }

  #break({ source, from_s, to_s }: ClockBreak): void {
    this.#breaks.push({ source, from_s, to_s });
  }

  #mark(mark: Mark, at_s: number): void {
    if (mark === "idle_start") this.#idleSince_s = at_s;
    else if (this.#idleSince_s !== undefined) {
      if (at_s > this.#idleSince_s) this.#idle.push([this.#idleSince_s, at_s]);
      this.#idleSince_s = undefined;
    }
  }
}
