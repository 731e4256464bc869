/** Draws uniformly from [0, 1). */
export type Random = () => number;

/**
 * A reproducible source of random numbers; the same seed gives the same draws on every machine.
 *
 * Generator: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018), its
 * state filled by splitmix32 as they advise, so that seeds 0, 1, 2… are as good as any. Two outputs make one
 * 53-bit fraction.
 */
export function seeded(seed: number): Random {
  const state = splitmix32(seed);
  let [s0, s1, s2, s3] = [state(), state(), state(), state()];
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotate(s3, 11);
    return result;
  };
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

/** Uniform in [low, high). */
export const between = (random: Random, low: number, high: number): number => low + (high - low) * random();

/** Exponentially distributed with the given mean. */
export const exponential = (random: Random, mean: number): number => -mean * Math.log1p(-random());

/** Standard normal, by Box and Muller; always two draws, so that sequences stay in step. */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log1p(-random()));
  return radius * Math.cos(2 * Math.PI * random());
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) | 0;
  };
}

const rotate = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));
