/** Mantissa bits kept: bins are 2^-7 = 0.8 % wide, and a quantile is the mean of its bin, so constant levels come out exact. */
const MANTISSA_BITS = 7;
/** Least and largest binary exponent told apart: 1 µW to 1 MW. */
const LEAST_EXPONENT = -20;
const EXPONENTS = 41;
const HALF = EXPONENTS << MANTISSA_BITS;
const EXPONENT_BIAS = 1023;

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);
const HIGH_WORD = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** Streaming quantiles of power in bounded memory: a bin is chosen from the leading bits of the float, without a logarithm. */
export class Histogram {
  readonly #count = new Float64Array(2 * HALF + 1);
  readonly #sum = new Float64Array(2 * HALF + 1);
  #total = 0;

  add(power_w: number): void {
    const bin = binOf(power_w);
    this.#count[bin]! += 1;
    this.#sum[bin]! += power_w;
    this.#total++;
  }

  /** Adds all that another histogram has seen. */
  take(other: Histogram): void {
    for (let bin = 0; bin < this.#count.length; bin++) {
      this.#count[bin]! += other.#count[bin]!;
      this.#sum[bin]! += other.#sum[bin]!;
    }
    this.#total += other.#total;
  }

  get total(): number {
    return this.#total;
  }

  /** @param share in (0, 1). @returns NaN while empty. */
  quantile(share: number): number {
    const wanted = share * this.#total;
    let seen = 0;
    for (let bin = 0; bin < this.#count.length; bin++) {
      seen += this.#count[bin]!;
      if (this.#count[bin]! > 0 && seen >= wanted) return this.#sum[bin]! / this.#count[bin]!;
    }
    return Number.NaN;
  }
}

/** Bins in ascending order of value: negative powers below, zero in the middle, positive above. */
function binOf(power_w: number): number {
  if (power_w === 0) return HALF;
  number[0] = power_w;
  const high = words[HIGH_WORD]! & 0x7fffffff;
  const rank = (high >>> (20 - MANTISSA_BITS)) - ((EXPONENT_BIAS + LEAST_EXPONENT) << MANTISSA_BITS);
  const clamped = rank < 0 ? 0 : rank >= HALF ? HALF - 1 : rank;
  return power_w > 0 ? HALF + 1 + clamped : HALF - 1 - clamped;
}
