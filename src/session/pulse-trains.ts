import type { Block } from "../model/block.ts";
import type { Observation } from "./observation.ts";

/** Samples kept from so long before a train was asked for until as long after it ended, by their arrival: what `alignPulses` searches. */
const AROUND_NS = 3e9;
/** A train that has not ended after this is not waited for. */
const LONGEST_NS = 20e9;
/** A session has two trains; what a strange tape has more of is left out. */
const MOST_TRAINS = 8;
const MOST_PULSES = 64;

/** A pulse as the device stated it, in ticks of its clock. */
export interface TickedPulse {
  readonly on: number;
  readonly off: number;
  /** By the clock that answers pings, whatever the rig says of the workload's stamps. */
  readonly isOnPongs: boolean;
}

/** One train that was asked for, what the device said of it, and the samples around it. */
export interface PulseTrain {
  readonly asked_ns: number;
  /** Which of the device's channels, counted from 0. */
  readonly channel: number;
  readonly pulses: readonly TickedPulse[];
  /** Undefined when the device said nothing that ends a train. */
  readonly answer: "done" | "unsupported" | undefined;
  readonly blocks: readonly Block[];
}

interface Growing extends PulseTrain {
  readonly pulses: TickedPulse[];
  answer: "done" | "unsupported" | undefined;
  readonly blocks: Block[];
  until_ns: number;
}

/** Gathers the trains of a session in one pass: of its samples only those around a train are kept. */
export class PulseTrains {
  readonly trains: PulseTrain[] = [];
  readonly #source: string | undefined;
  readonly #recent: { readonly block: Block; readonly host_ns: number }[] = [];
  #open: Growing | undefined;

  /** @param source whose samples are kept; without a meter, none */
  constructor(source: string | undefined) {
    this.#source = source;
  }

  add(observation: Observation): void {
    if (observation.type === "block") this.#block(observation.block, observation.host_ns);
    else if (observation.type === "pulses_asked") this.#asked(observation.epoch, observation.host_ns);
    else if (observation.type === "pulse") this.#pulse(observation);
    else if (observation.type === "pulses_answered" && this.#open) {
      this.#open.answer = observation.answer;
      this.#open.until_ns = observation.host_ns + AROUND_NS;
    }
  }

  #asked(epoch: number, asked_ns: number): void {
    if (this.trains.length === MOST_TRAINS) return;
    const blocks = this.#recent.map(({ block }) => block);
    this.#open = { asked_ns, channel: epoch, pulses: [], answer: undefined, blocks, until_ns: asked_ns + LONGEST_NS };
    this.trains.push(this.#open);
  }

  #pulse({ epoch, on, off, isOnPongs }: Extract<Observation, { type: "pulse" }>): void {
    const train = this.#open;
    if (train?.answer === undefined && train?.channel === epoch && train.pulses.length < MOST_PULSES)
      train.pulses.push({ on, off, isOnPongs });
  }

  #block(block: Block, host_ns: number): void {
    if (block.source !== this.#source) return;
    const recent = this.#recent;
    recent.push({ block, host_ns });
    while (recent[0]!.host_ns < host_ns - AROUND_NS) recent.shift();
    if (!this.#open) return;
    if (host_ns <= this.#open.until_ns) this.#open.blocks.push(block);
    else this.#open = undefined;
  }
}
