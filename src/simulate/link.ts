import { type Block, endTick } from "../model/block.ts";
import type { Ping } from "../model/ping.ts";
import type { Oscillator } from "./oscillator.ts";
import { exponential, normal, type Random } from "./random.ts";

/** How long a message is on its way: never less than `base_s`, mostly a little more, sometimes much more. */
export interface Delay {
  readonly base_s: number;
  /** Mean queueing time, exponentially distributed. */
  readonly exponential_s?: number;
  /** How many queues in a row, each with that mean; 2 makes the shortest ways rare. Default 1. */
  readonly queues?: number;
  /** With probability `tail`, an exponential `tail_s` more. */
  readonly tail?: number;
  readonly tail_s?: number;
}

/** What a link does to the blocks of an instrument. */
export interface LinkModel {
  readonly delay: Delay;
  /** Blocks that travel together: all arrive with the last. Default 1. */
  readonly batch?: number;
  /** Probability that a block never arrives. */
  readonly loss?: number;
  /** With probability `stall` a transfer, and all behind it, waits `stall_s` more: the reader was busy. */
  readonly stall?: number;
  readonly stall_s?: number;
}

/** A block and the host time, seconds, at which it was read. */
export interface Arrival {
  readonly block: Block;
  readonly host_s: number;
}

/**
 * Sends blocks over a link in virtual time; host time is true time.
 *
 * Order is kept, so one late transfer holds up those behind it. What a lost block held is added to the next
 * one's `lostBefore`; blocks lost at the very end are seen by nobody, as on a real link.
 *
 * @param true_s true time of a tick of the blocks' clock
 */
export function* sendBlocks(
  blocks: Iterable<Block>,
  link: LinkModel,
  true_s: (tick: number) => number,
  random: Random,
): Generator<Arrival> {
  const { batch = 1, loss = 0, stall = 0, stall_s = 0 } = link;
  let waiting: Block[] = [];
  let lost = 0;
  let host_s = Number.NEGATIVE_INFINITY;
  const flush = function* (sent_s: number): Generator<Arrival> {
    host_s = Math.max(host_s, sent_s + drawDelay(link.delay, random) + (random() < stall ? stall_s : 0));
    for (const block of waiting) {
      if (random() < loss) {
        lost += block.lostBefore + block.length;
        continue;
      }
      yield { block: lost === 0 ? block : { ...block, lostBefore: block.lostBefore + lost }, host_s };
      lost = 0;
    }
    waiting = [];
  };
  for (const block of blocks) {
    waiting.push(block);
    if (waiting.length >= batch) yield* flush(true_s(endTick(block)));
  }
  const last = waiting.at(-1);
  if (last) yield* flush(true_s(endTick(last)));
}

/** The way of a ping to the device and of its answer back. */
export interface PingLink {
  readonly forward: Delay;
  readonly backward: Delay;
  /** Time the device takes to answer. Default 0. */
  readonly answer_s?: number;
  /** Probability that a ping or its answer is lost. */
  readonly loss?: number;
  /** Probability that the device's stamps are wrong, and by how much (standard deviation, seconds). */
  readonly corrupt?: number;
  readonly corrupt_s?: number;
  /** Other delays while the device is busy. */
  readonly busy?: { readonly during: (true_s: number) => boolean; readonly forward: Delay; readonly backward: Delay };
}

/** When to send pings: `count` in a row every `every_s`, from `from_s` until `to_s`. */
export interface PingSchedule {
  readonly from_s: number;
  readonly to_s: number;
  readonly every_s: number;
  readonly count: number;
}

/**
 * Asks a device with a wrong clock for its time, in virtual time: session time is true time.
 *
 * Within a burst the next ping leaves when the answer to the one before it is there.
 */
export function* exchangePings(schedule: PingSchedule, link: PingLink, clock: Oscillator, random: Random): Generator<Ping> {
  const { answer_s = 0, loss = 0, corrupt = 0, corrupt_s = 0 } = link;
  let free_s = schedule.from_s;
  for (let burst = 0; schedule.from_s + burst * schedule.every_s <= schedule.to_s; burst++) {
    free_s = Math.max(free_s, schedule.from_s + burst * schedule.every_s);
    for (let k = 0; k < schedule.count; k++) {
      const sent_s = free_s;
      const ways = link.busy?.during(sent_s) ? link.busy : link;
      const there_s = sent_s + drawDelay(ways.forward, random);
      const received_s = there_s + answer_s + drawDelay(ways.backward, random);
      const wrong_s = random() < corrupt ? corrupt_s * normal(random) : 0;
      free_s = received_s;
      if (random() < loss) continue;
      const deviceReceived = clock.reading_s(there_s) + wrong_s;
      yield { source: "device", epoch: 0, sent_s, received_s, deviceReceived, deviceSent: clock.reading_s(there_s + answer_s) + wrong_s };
    }
  }
}

/** One delay, seconds. */
export function drawDelay({ base_s, exponential_s = 0, queues = 1, tail = 0, tail_s = 0 }: Delay, random: Random): number {
  let delay_s = base_s;
  for (let queue = 0; queue < queues; queue++) delay_s += exponential(random, exponential_s);
  return random() < tail ? delay_s + exponential(random, tail_s) : delay_s;
}
