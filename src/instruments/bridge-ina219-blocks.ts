import type { Block } from "../model/block.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { InstrumentContext } from "../model/instrument.ts";
import type { Samples, Totals } from "./bridge-ina219-frames.ts";
import { BUS_LSB_V, binEnd_s, countStep, fullScale, type Options, SHUNT_LSB_V } from "./bridge-ina219-options.ts";

const OVERFLOW = 1;
const READY = 2;

/** Difference of two 32-bit counters, a - b, in -2^31 … 2^31 - 1. */
const distance = (a: number, b: number): number => (a - b) | 0;

/**
 * Turns register counts into blocks, and the bridge's counters into faults.
 *
 * The counter counts every tick, whatever became of its sample: `lost_samples` is the whole loss, wherever it
 * happened. `i2c_error` and `ring_overrun` are the causes the bridge states for a part of it: never add them up.
 */
export class BlockBuilder {
  readonly #options: Options;
  readonly #context: InstrumentContext;
  readonly #shuntLimit: number;
  readonly #busLimit: number;
  /** Counter the next sample has if nothing is lost. */
  #counter = 0;
  /** The bridge's clock without its wrap, us; undefined before the first stamp. */
  #time_us: number | undefined;
  #totals = { i2c_errors: 0, ring_overruns: 0, missed_ticks: 0, trigger_overruns: 0 };

  constructor(options: Options, context: InstrumentContext) {
    this.#options = options;
    this.#context = context;
    const full = fullScale(options);
    this.#shuntLimit = full.shunt - countStep(options);
    this.#busLimit = full.bus - countStep(options);
  }

  /** @throws JoulebenchError `link` when the counter runs back */
  block(frame: Samples): Block {
    const lostBefore = this.#advance(frame.counter);
    const { period_us, shunt } = frame;
    const first_us = this.#unwrap(frame.t_us, lostBefore * period_us);
    this.#time_us = first_us + shunt.length * period_us;
    this.#counter = (frame.counter + shunt.length) >>> 0;
    const first = first_us + binEnd_s(this.#options, period_us * 1e-6) * 1e6;
    return {
      source: this.#context.source,
      epoch: this.#context.epoch,
      sampler: "averaged",
      startTick: first - period_us,
      ticks: { first, step: period_us },
      length: shunt.length,
      lostBefore,
      columns: this.#columns(frame),
    };
  }

  edge(t_us: number, input: number, level: 0 | 1): void {
    const tick = this.#unwrap(t_us, 0);
    this.#time_us ??= tick;
    this.#context.edge(`int${input}`, level, tick);
  }

  /** Causes of loss the bridge states. */
  totals(totals: Totals): void {
    this.#cause("i2c_error", totals.i2c_errors - this.#totals.i2c_errors);
    this.#cause("ring_overrun", totals.ring_overruns - this.#totals.ring_overruns);
    this.#cause(
      "ring_overrun",
      totals.missed_ticks - this.#totals.missed_ticks,
      "ticks that came while the last sample was still being read",
    );
    this.#cause("ring_overrun", totals.trigger_overruns - this.#totals.trigger_overruns, "trigger edges");
    this.#totals = totals;
  }

  /** Counts the samples missing at the tail. */
  end(totals: Totals): void {
    this.totals(totals);
    this.#advance(totals.ticks);
    this.#counter = totals.ticks;
  }

  #advance(counter: number): number {
    const lost = distance(counter, this.#counter);
    if (lost < 0) throw restarted(this.#context.source, `its sample counter ran back from ${this.#counter} to ${counter}`);
    this.#cause("lost_samples", lost);
    return lost;
  }

  #cause(code: "lost_samples" | "i2c_error" | "ring_overrun", count: number, detail?: string): void {
    if (count > 0) this.#context.fault(code, count, detail);
  }

  /** Full time of a 32-bit stamp expected `ahead_us` after the last one; exact for expectations wrong by less than 35 min. */
  #unwrap(t_us: number, ahead_us: number): number {
    if (this.#time_us === undefined) return t_us;
    const expected_us = this.#time_us + ahead_us;
    return expected_us + distance(t_us, expected_us % 2 ** 32);
  }

  #columns({ shunt, bus }: Samples): Block["columns"] {
    const { shunt_ohm, current_offset_a, voltage_gain } = this.#options;
    const amperesPerCount = SHUNT_LSB_V / shunt_ohm;
    const voltsPerCount = BUS_LSB_V * voltage_gain;
    const current_a = new Float64Array(shunt.length);
    const voltage_v = new Float64Array(shunt.length);
    let stale = 0;
    let outside = 0;
    let overflow = 0;
    for (let k = 0; k < shunt.length; k++) {
      const register = bus[k]!;
      const volts = register >> 3;
      const counts = shunt[k]!;
      current_a[k] = counts * amperesPerCount - current_offset_a;
      voltage_v[k] = volts * voltsPerCount;
      if (!(register & READY)) stale++;
      if (register & OVERFLOW) overflow++;
      if (Math.abs(counts) > this.#shuntLimit || volts > this.#busLimit) outside++;
    }
    if (stale > 0) this.#context.fault("stale_sample", stale);
    if (outside > 0) this.#context.fault("over_range", outside);
    if (overflow > 0) this.#context.fault("arithmetic_overflow", overflow);
    return { "main.current_a": current_a, "main.voltage_v": voltage_v };
  }
}

export function restarted(source: string, how: string): JoulebenchError {
  return new JoulebenchError("link", source, `the bridge restarted: ${how}; if it happens again, look at its supply and its USB cable`);
}
