import type { Block } from "../src/model/block.ts";
import { seeded } from "../src/simulate/random.ts";

export const RATE_HZ = 5000;
/** 50 ms, as drivers give them. */
const BLOCK = 250;
/** Least counts and noise (k = 1) of a 5 kHz power monitor: 16 bits over 6 A and 5 V, noise of a few counts. */
const CURRENT = { count: 0.25e-3, noise: 3e-3 };
const VOLTAGE = { count: 0.125e-3, noise: 0.5e-3 };
const TOKEN_S = 0.05;
const BUSY_S = 0.02;

/** A table of normal deviates, long beside any window that a compressor looks at. */
const NOISE = (() => {
  const random = seeded(7);
  return Float64Array.from({ length: 1 << 20 }, () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
})();
const noise = (n: number): number => NOISE[n & (NOISE.length - 1)]!;

/** What a monitor shows of a phone that decodes 20 tokens a second: bursts, a slow drift, a sagging supply, noise of its converters. */
export function* phoneBlocks(seconds: number): Generator<Block> {
  for (let first = 0; first < seconds * RATE_HZ; first += BLOCK) {
    const current_a = new Float64Array(BLOCK);
    const voltage_v = new Float64Array(BLOCK);
    for (let k = 0; k < BLOCK; k++) {
      const n = first + k;
      const level_a = ((n / RATE_HZ) % TOKEN_S < BUSY_S ? 1.6 : 0.7) + 0.05 * Math.sin(n / 777);
      current_a[k] = Math.round((level_a + CURRENT.noise * noise(n * 7)) / CURRENT.count) * CURRENT.count;
      voltage_v[k] = Math.round((4 - 0.08 * level_a + VOLTAGE.noise * noise(n * 11 + 5)) / VOLTAGE.count) * VOLTAGE.count;
    }
    yield {
      source: "meter",
      epoch: 0,
      sampler: "integrating",
      startTick: first,
      ticks: { first: first + 1, step: 1 },
      length: BLOCK,
      lostBefore: 0,
      columns: { "main.current_a": current_a, "main.voltage_v": voltage_v },
    };
  }
}

/** Power of so many samples from sample `first` on; cheap enough to make days of it. */
export function phonePower(first: number, power_w: Float64Array): void {
  const [period, busy] = [TOKEN_S * RATE_HZ, BUSY_S * RATE_HZ];
  for (let k = 0; k < power_w.length; k++) power_w[k] = ((first + k) % period < busy ? 6.2 : 2.8) + 0.012 * noise((first + k) * 7);
}
