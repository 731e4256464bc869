/** A compensated sum: `high + low` is what was added, correct to the last bit or so. */
export interface CompensatedSum {
  readonly high: number;
  readonly low: number;
}

/** One step of Neumaier's summation (Z. Angew. Math. Mech. 54, 1974): the part lost to rounding is kept aside. */
export function plus({ high, low }: CompensatedSum, term: number): CompensatedSum {
  const total = high + term;
  const lost = Math.abs(high) >= Math.abs(term) ? high - total + term : term - total + high;
  return { high: total, low: low + lost };
}
