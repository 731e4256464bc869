/** Reasons told apart; a server with ever new ones has the rest counted together. */
const MOST_REASONS = 20;
const OTHER = "other reasons";

/** What a sink could not deliver, point by point counted under its reason. */
export class Refusals {
  readonly #tell: (points: number, reason: string) => void;
  readonly #counts = new Map<string, { points: number; told: number }>();

  /** @param tell called with the first count of each reason at once, with what came after by {@link settle} */
  constructor(tell: (points: number, reason: string) => void) {
    this.#tell = tell;
  }

  add(reason: string, points: number): void {
    const room = this.#counts.size < MOST_REASONS || this.#counts.has(reason);
    const key = room ? reason : OTHER;
    const known = this.#counts.get(key);
    if (known) {
      known.points += points;
      return;
    }
    // Entered before it is told: whoever hears it may hand the sink one more point.
    this.#counts.set(key, { points, told: points });
    this.#tell(points, key);
  }

  /** Tells what has not been told yet and sums up. */
  settle(): { refused: number; reason?: string } {
    let refused = 0;
    for (const [reason, count] of this.#counts) {
      refused += count.points;
      if (count.points > count.told) this.#tell(count.points - count.told, reason);
      count.told = count.points;
    }
    if (refused === 0) return { refused };
    return { refused, reason: [...this.#counts].map(([reason, { points }]) => `${points} points: ${reason}`).join("; ") };
  }
}
