import { SecondHand } from "../clock/second-hand.ts";
import type { ClockOffset } from "../model/health.ts";
import type { Sink } from "../model/sink.ts";
import { pass } from "./pass.ts";

/** Points of several hosts lie beside each other in one chart: a difference above this is told. */
const LARGEST_OFFSET_S = 0.5;
/** The clock is asked once a second until it is known this well, then more rarely. */
const WELL_KNOWN_S = 0.02;
const EVERY_S = 60;

const unix_s = (): number => Date.now() / 1000;

/** How far this host's clock is from that of the database it writes to, watched until `ended`. */
export class HostClock {
  readonly #hand = new SecondHand();
  readonly #sink: Pick<Sink, "clock">;
  readonly #say: (message: string) => void;
  #isOff = false;

  constructor(sink: Pick<Sink, "clock">, say: (message: string) => void) {
    this.#sink = sink;
    this.#say = say;
  }

  get offset(): ClockOffset | undefined {
    return this.#hand.offset;
  }

  /** Asks until `ended`; a server that does not answer says nothing about clocks. Never rejects. */
  async watch(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const seen = await this.#sink.clock?.();
      if (ended.aborted) return;
      const agrees = seen !== undefined && this.#hand.push(seen);
      if (seen && !agrees) this.#say("the clock of this host or of the database was set meanwhile");
      this.#judge();
      const known = (this.offset?.bound_s ?? Number.POSITIVE_INFINITY) < WELL_KNOWN_S;
      // A clock that contradicts itself is not asked, and told of, once a second.
      const from_s = unix_s() + (agrees && !known ? 0.1 : EVERY_S);
      await pass(this.#hand.next_s(from_s) - unix_s(), ended);
    }
  }

  /** Said once, and again after it was well. */
  #judge(): void {
    const { offset_s, bound_s } = this.offset ?? { offset_s: 0, bound_s: 0 };
    const isOff = Math.abs(offset_s) - bound_s > LARGEST_OFFSET_S;
    if (isOff && !this.#isOff) {
      const where = `${Math.abs(offset_s).toFixed(1)} s ${offset_s > 0 ? "ahead of" : "behind"}`;
      this.#say(
        `the clock of this host is ${where} the database's (± ${bound_s.toFixed(2)} s): its points stand at wrong times beside those of others; set both by NTP`,
      );
    }
    this.#isOff = isOff;
  }
}
