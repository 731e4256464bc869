import type { Block, Sampler } from "../../src/model/block.ts";
import type { SessionSeconds, TimeMap } from "../../src/model/clock.ts";
import { seeded } from "../../src/simulate/random.ts";

/** A clock that is neither at zero nor at its nominal rate, with a joint at tick 40 000. */
export const MAP: TimeMap = {
  source: "meter",
  epoch: 0,
  pieces: [
    { fromTick: 0, t0_s: 3.2171 as SessionSeconds, rate_hz: 5000.185, u_s: 0, bound_s: 0 },
    { fromTick: 40_000, t0_s: (3.2171 + 40_000 / 5000.185) as SessionSeconds, rate_hz: 5000.19, u_s: 0, bound_s: 0 },
  ],
};

export interface Shape {
  readonly sampler: Sampler;
  readonly count: number;
  readonly length: number;
  /** Ticks that are missing before a block, by its number. */
  readonly lost?: Readonly<Record<number, number>>;
  /** Ticks are listed and uneven. */
  readonly uneven?: boolean;
}

/** Blocks with current and voltage as a converter gives them, the same every time. */
export function blocksOf({ sampler, count, length, lost = {}, uneven = false }: Shape): Block[] {
  const random = seeded(11);
  let tick = 0;
  return Array.from({ length: count }, (_, number) => {
    const lostBefore = lost[number] ?? 0;
    tick += lostBefore;
    const startTick = sampler === "point" ? tick + 1 : tick;
    const listed = Float64Array.from({ length }, (_, k) => tick + k + 1 + (uneven ? 0.4 * random() : 0));
    tick = uneven ? listed[length - 1]! : tick + length;
    const volts = Float64Array.from({ length }, () => 4 + Math.round(20 * random()) * 1.25e-4);
    const amperes = Float64Array.from(listed, (at) => (at % 250 < 100 ? 1.6 : 0.7) + Math.round(40 * random()) * 2.5e-4);
    return {
      source: "meter",
      epoch: 0,
      sampler,
      startTick: uneven && sampler === "point" ? listed[0]! : startTick,
      ticks: uneven ? listed : { first: listed[0]!, step: 1 },
      length,
      lostBefore,
      columns: { "main.current_a": amperes, "main.voltage_v": volts },
    };
  });
}
