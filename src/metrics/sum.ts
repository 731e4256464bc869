/** A compensated sum: `high + low` is what was added, correct to the last bit or so. */
export class CompensatedSum {
  high = 0;
  low = 0;

  /** One step of Neumaier's summation (Z. Angew. Math. Mech. 54, 1974): the part lost to rounding is kept aside. */
  add(term: number): void {
    const total = this.high + term;
    this.low += Math.abs(this.high) >= Math.abs(term) ? this.high - total + term : term - total + this.high;
    this.high = total;
  }

  /** This sum and one more term, as a sum of its own. */
  plus(term: number): CompensatedSum {
    const sum = new CompensatedSum();
    sum.high = this.high;
    sum.low = this.low;
    sum.add(term);
    return sum;
  }
}
