import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SteadyReading } from "../metrics/calibration.ts";
import { steadyMean } from "../metrics/steady.ts";
import { endTick } from "../model/block.ts";
import { JoulebenchError } from "../model/errors.ts";
import { instrumentOf, type Rig } from "../rig/rig.ts";
import { Bench } from "./bench.ts";
import type { Observation } from "./observation.ts";

/** A channel to watch, and for how long. */
export interface WatchedChannel {
  readonly source: string;
  readonly channel: string;
  readonly seconds: number;
}

/** Readings before this much of an instrument's time are left out: the load may just have been connected. */
const SETTLE_S = 0.5;
/** The host waits this much longer than the readings take. */
const SPARE_S = 10;
/** Samples that spoil a mean. */
const SPOILING = new Set(["over_range", "arithmetic_overflow"]);

/**
 * Watches one channel for `seconds`, by the same driver that measures sessions, and averages what it shows.
 *
 * @throws JoulebenchError `link` or `protocol` of the instrument; `config` when the load is beyond its range
 */
export async function readSteadily(rig: Rig, { source, channel, seconds }: WatchedChannel): Promise<SteadyReading> {
  const { device: _device, sinks: _sinks, ...bare } = rig;
  const alone: Rig = { ...bare, instruments: { [source]: rig.instruments[source]! }, sinks: {} };
  const { kind, options } = instrumentOf(rig, source);
  const collected = new Collected(source, channel, kind.clock(options).nominal_hz);
  const scratch = mkdtempSync(join(tmpdir(), "joulebench-calibrate-"));
  const bench = new Bench(alone, join(scratch, "tape"));
  const late = (): JoulebenchError =>
    new JoulebenchError(
      "link",
      source,
      `delivered only ${collected.seconds.toFixed(1)} s of samples in ${seconds + SPARE_S} s; try joulebench check`,
    );
  try {
    await bench.open();
    await bench.until((each) => collected.add(each) >= seconds, { ms: (seconds + SPARE_S) * 1000, late });
  } finally {
    await bench.close();
    rmSync(scratch, { recursive: true, force: true });
  }
  return collected.reading();
}

/** Current and voltage of one channel, kept as they come: some ten thousand samples. */
class Collected {
  readonly #source: string;
  readonly #channel: string;
  readonly #nominal_hz: number;
  readonly #current_a: number[] = [];
  readonly #voltage_v: number[] = [];
  #spoilt = 0;
  #first: number | undefined;
  seconds = 0;

  constructor(source: string, channel: string, nominal_hz: number) {
    this.#source = source;
    this.#channel = channel;
    this.#nominal_hz = nominal_hz;
  }

  /** @returns seconds of samples so far, on the instrument's own clock */
  add(observation: Observation): number {
    if (observation.type === "fault" && SPOILING.has(observation.fault.code)) this.#spoilt += observation.fault.count;
    if (observation.type !== "block" || observation.block.source !== this.#source) return this.seconds;
    const { block } = observation;
    this.#first ??= block.startTick + SETTLE_S * this.#nominal_hz;
    if (block.startTick < this.#first) return this.seconds;
    const current_a = block.columns[`${this.#channel}.current_a`];
    const voltage_v = block.columns[`${this.#channel}.voltage_v`];
    if (!current_a || !voltage_v)
      throw new JoulebenchError(
        "config",
        this.#source,
        `channel ${this.#channel} gives no current and voltage: its power cannot be calibrated`,
      );
    for (let k = 0; k < block.length; k++) {
      this.#current_a.push(current_a[k]!);
      this.#voltage_v.push(voltage_v[k]!);
    }
    this.seconds = (endTick(block) - this.#first) / this.#nominal_hz;
    return this.seconds;
  }

  /** @throws JoulebenchError `config` when samples were at the end of the range */
  reading(): SteadyReading {
    if (this.#spoilt > 0)
      throw new JoulebenchError(
        "config",
        this.#source,
        `${this.#spoilt} samples reached the end of its range: use a smaller load, or a larger range`,
      );
    return { current_a: steadyMean(this.#current_a), voltage_v: steadyMean(this.#voltage_v) };
  }
}
