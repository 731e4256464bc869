import type { Point } from "./influx-points.ts";

/** Memory of a point beyond its text as JSON: 130 to 170 bytes by the heap of Node 20, rounded up. */
const OVERHEAD_BYTES = 200;

/**
 * Points waiting to be delivered, oldest first, bounded in bytes.
 *
 * When it is full the oldest go: a session's results come last and are worth more than its first means. Points taken
 * for delivery stay, and count, until they are settled.
 */
export class PointQueue {
  readonly #limit_bytes: number;
  readonly #waiting: { readonly point: Point; readonly bytes: number }[] = [];
  #bytes = 0;
  #taken = 0;

  constructor(limit_bytes: number) {
    this.#limit_bytes = limit_bytes;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** @returns how many points had to go for it, itself included where it is too large or all others are being delivered */
  push(point: Point): number {
    const bytes = OVERHEAD_BYTES + JSON.stringify(point).length;
    this.#waiting.push({ point, bytes });
    this.#bytes += bytes;
    let dropped = 0;
    while (this.#bytes > this.#limit_bytes) {
      this.#remove(this.#taken, 1);
      dropped++;
    }
    return dropped;
  }

  /** The oldest points, at most `most`, to be settled by {@link settle} or left by {@link putBack}. */
  take(most: number): Point[] {
    const taken = this.#waiting.slice(0, most);
    this.#taken = taken.length;
    return taken.map(({ point }) => point);
  }

  /** The points taken are done with, one way or the other. */
  settle(): void {
    this.#remove(0, this.#taken);
    this.#taken = 0;
  }

  putBack(): void {
    this.#taken = 0;
  }

  #remove(at: number, count: number): void {
    for (const { bytes } of this.#waiting.splice(at, count)) this.#bytes -= bytes;
  }
}
