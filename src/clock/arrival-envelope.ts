import type { Frame } from "./frame.ts";
import { Hull } from "./hull.ts";

/** Arrivals of a few seconds, reduced to their lower hull and to sums. x and y as in {@link Frame}. */
export interface Bin {
  readonly index: number;
  readonly count: number;
  readonly firstX: number;
  readonly lastX: number;
  readonly sumX: number;
  readonly sumY: number;
  /** The hull as x, y, x, y…: as objects the points of a long session would take three times the memory. */
  readonly points: readonly number[];
}

const BIN_S = 10;

/**
 * When the ticks of one epoch of a source reached the host, in bounded memory: of every 10 s only the lower
 * hull is kept, some ten points; a day takes four megabytes.
 */
export class ArrivalEnvelope {
  readonly #closed: Bin[] = [];
  readonly #nominal_hz: number;
  readonly #keep: number;
  #frame: Frame | undefined;
  #arrivals = 0;
  #ticksBack = 0;
  #lastTick = Number.NEGATIVE_INFINITY;
  #index = 0;
  #hull = new Hull("lower");
  #count = 0;
  #firstX = 0;
  #lastX = 0;
  #sumX = 0;
  #sumY = 0;

  /** @param keep bins that can still be asked for; older ones may be forgotten */
  constructor(nominal_hz: number, keep = Number.POSITIVE_INFINITY) {
    this.#nominal_hz = nominal_hz;
    this.#keep = keep;
  }

  get arrivals(): number {
    return this.#arrivals;
  }

  /** Arrivals left out because their tick ran back. */
  get ticksBack(): number {
    return this.#ticksBack;
  }

  get frame(): Frame | undefined {
    return this.#frame;
  }

  /** The newest bins, or all, in order; those without arrivals are missing. */
  bins(newest = Number.POSITIVE_INFINITY): Bin[] {
    const bins = this.#closed.slice(-newest);
    return this.#count > 0 ? [...bins, this.#open()] : bins;
  }

  /** The source's clock showed `tick` not after `host_s`, when the host had it. Ticks that run back are counted and left out. */
  push(tick: number, host_s: number): void {
    if (tick < this.#lastTick) {
      this.#ticksBack++;
      return;
    }
    this.#lastTick = tick;
    this.#arrivals++;
    this.#frame ??= { tick0: tick, t0_s: host_s, nominal_hz: this.#nominal_hz };
    const { tick0, t0_s } = this.#frame;
    const x = (tick - tick0) / this.#nominal_hz;
    const y = host_s - t0_s - x;
    this.#moveTo(Math.floor(x / BIN_S));
    this.#hull.push({ x, y });
    if (this.#count === 0) this.#firstX = x;
    this.#count++;
    this.#lastX = x;
    this.#sumX += x;
    this.#sumY += y;
  }

  #moveTo(index: number): void {
    if (index === this.#index) return;
    this.#closed.push(this.#open());
    if (this.#closed.length >= 2 * this.#keep) this.#closed.splice(0, this.#closed.length - this.#keep);
    this.#index = index;
    this.#hull = new Hull("lower");
    this.#count = 0;
    this.#sumX = 0;
    this.#sumY = 0;
  }

  #open(): Bin {
    return {
      index: this.#index,
      count: this.#count,
      firstX: this.#firstX,
      lastX: this.#lastX,
      sumX: this.#sumX,
      sumY: this.#sumY,
      points: this.#hull.points.flatMap(({ x, y }) => [x, y]),
    };
  }
}
