import { HEARTBEAT_IDS, pingLine } from "../wire/ping.ts";

/** A line is sent when nothing was heard for so long, and again as often. Neither adb nor ssh notices a dead link by itself. */
const BEAT_MS = 500;
/** A link that is silent for so long is dead: that is to be noticed within 3 s, on a busy host, too. */
export const DEAD_MS = 2500;
/** How often that is looked at. */
const LOOK_MS = 250;
/** A look that comes later than this was kept waiting by us, as what was heard may have been: the next one judges. */
const LATE_MS = 2 * LOOK_MS;

/**
 * Watches one channel to the device for the whole link.
 *
 * Its pings are numbered apart, so that they do not count as clock pings: single ones would break up the bursts.
 */
export class Heartbeat {
  readonly #send: (line: string) => Promise<void>;
  readonly #dead: () => void;
  #heard_ms = performance.now();
  #asked_ms = Number.NEGATIVE_INFINITY;
  #beats = HEARTBEAT_IDS;
  #looked_ms = performance.now();
  #wasLate = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param dead called once, when nothing was heard for {@link DEAD_MS} */
  constructor(send: (line: string) => Promise<void>, dead: () => void) {
    this.#send = send;
    this.#dead = dead;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Something came over the link. */
  heard(): void {
    this.#heard_ms = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  get isStopped(): boolean {
    return this.#timer === undefined;
  }

  #look(): void {
    const now_ms = performance.now();
    const isLate = now_ms - this.#looked_ms > LATE_MS && !this.#wasLate;
    [this.#looked_ms, this.#wasLate] = [now_ms, isLate];
    const silent_ms = now_ms - this.#heard_ms;
    if (silent_ms >= DEAD_MS && !isLate) {
      this.stop();
      this.#dead();
    } else if (silent_ms >= BEAT_MS && now_ms - this.#asked_ms >= BEAT_MS) {
      this.#asked_ms = now_ms;
      this.#send(pingLine(this.#beats++)).catch(() => undefined); // Its silence tells.
    }
  }
}
