import { ArrivalEnvelope, fitArrivals } from "../clock/arrival-map.ts";
import { type Block, endTick } from "../model/block.ts";
import type { ClockSpec } from "../model/instrument.ts";

/** What there should be, and what became of it: `expected` = `stored` + `missing` + `suspect`, or the tape cannot be trusted. */
export interface Count {
  /** What is counted: the records of the tape, or a channel. */
  readonly what: string;
  /** Who says how many there should be. */
  readonly by: "sequence" | "counter" | "clock";
  readonly expected: number;
  readonly stored: number;
  readonly missing: number;
  readonly suspect: number;
  /** The sum agrees: exactly, or by the clock as well as it can. */
  readonly holds: boolean;
}

/** A clock's count may be off by this share, and by the samples of so many seconds: arrivals are late by different times. */
const CLOCK_SHARE = 1e-3;
const CLOCK_S = 0.1;

/** The samples of one source between two openings of its port. */
class Life {
  stored = 0;
  suspect = 0;
  /** By the counter: before the first block, between blocks, and all as the driver reports it, the tail included. */
  lead = 0;
  inside = 0;
  reported = 0;
  first: { readonly block: Block; readonly host_s: number } | undefined;
  last: { readonly tick: number; readonly host_s: number } | undefined;
  readonly envelope: ArrivalEnvelope;

  constructor(nominal_hz: number) {
    this.envelope = new ArrivalEnvelope(nominal_hz);
  }

  get missing(): number {
    return this.lead + this.inside + this.tail;
  }

  get tail(): number {
    return Math.max(0, this.reported - this.lead - this.inside);
  }

  /** Samples by the stamps of the source's own clock; where they come at no fixed step, by the counter alone. */
  get expected(): number {
    if (!this.first || !this.last) return this.stored + this.suspect + this.missing;
    const { startTick, ticks } = this.first.block;
    if (ticks instanceof Float64Array) return this.stored + this.suspect + this.missing;
    return Math.round((this.last.tick - startTick) / ticks.step) + this.lead + this.tail;
  }
}

/** Counts the samples of one source. */
export class SampleCount {
  readonly #spec: ClockSpec;
  readonly #lives: Life[] = [];

  constructor(spec: ClockSpec) {
    this.#spec = spec;
  }

  opened(): void {
    this.#lives.push(new Life(this.#spec.nominal_hz));
  }

  lost(count: number): void {
    const life = this.#lives.at(-1);
    if (life) life.reported += count;
  }

  block(block: Block, host_s: number, isSuspect: boolean): void {
    const life = this.#lives.at(-1);
    if (!life) return;
    if (life.first) life.inside += block.lostBefore;
    else life.lead = block.lostBefore;
    if (isSuspect) life.suspect += block.length;
    else life.stored += block.length;
    life.first ??= { block, host_s };
    life.last = { tick: endTick(block), host_s };
    life.envelope.push(endTick(block), host_s);
  }

  /** By the source's counter against its own stamps, and by the host's clock, which also knows of the time without a link. */
  counts(what: string): Count[] {
    const sum = (of: (life: Life) => number): number => this.#lives.reduce((total, life) => total + of(life), 0);
    const [stored, suspect, missing] = [sum((life) => life.stored), sum((life) => life.suspect), sum((life) => life.missing)];
    const expected = sum((life) => life.expected);
    const counter: Count = { what, by: "counter", expected, stored, missing, suspect, holds: expected === stored + missing + suspect };
    const clock = this.#byClock();
    if (!clock) return [counter];
    const all = missing + clock.away;
    const off = Math.abs(clock.expected - stored - suspect - all);
    const holds = off <= CLOCK_SHARE * clock.expected + CLOCK_S * clock.rate_hz;
    return [counter, { what, by: "clock", expected: clock.expected, stored, missing: all, suspect, holds }];
  }

  #byClock(): { expected: number; away: number; rate_hz: number } | undefined {
    const lives = this.#lives.filter(({ first }) => first !== undefined);
    const [begin, end] = [lives[0], lives.at(-1)];
    const ticks = begin?.first?.block.ticks;
    if (!begin || !end || !ticks || ticks instanceof Float64Array) return undefined;
    const rate_hz = this.#rateOf(lives) / ticks.step;
    const between = (from_s: number, to_s: number): number => Math.round((to_s - from_s) * rate_hz);
    const away = lives.slice(1).reduce((total, life, k) => {
      const before = lives[k]!;
      const gap = between(before.last!.host_s, life.first!.host_s) - life.first!.block.length;
      return total + Math.max(0, gap - before.tail - life.lead);
    }, 0);
    const outside = begin.first!.block.length + begin.lead + end.tail;
    return { expected: between(begin.first!.host_s, end.last!.host_s) + outside, away, rate_hz };
  }

  /** Ticks per second, of the life that knows it best. */
  #rateOf(lives: readonly Life[]): number {
    const { envelope } = lives.reduce((best, life) => (life.envelope.arrivals > best.envelope.arrivals ? life : best));
    return this.#spec.nominal_hz * (1 + fitArrivals(envelope, this.#spec, "", 0).facts.rate_ppm * 1e-6);
  }
}
