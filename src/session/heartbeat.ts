import { HEARTBEAT_IDS, pingLine } from "../wire/ping.ts";

/** A line is sent when nothing was heard for a second; after three the link is dead. Neither adb nor ssh notices by itself. */
const BEAT_MS = 1000;
/** How often that is looked at: a link that is lost is to be noticed well within those three seconds on a busy host, too. */
const LOOK_MS = 250;
export const DEAD_MS = 3000;

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

  #look(): void {
    const now_ms = performance.now();
    const silent_ms = now_ms - this.#heard_ms;
    if (silent_ms >= DEAD_MS - BEAT_MS / 2) {
      this.stop();
      this.#dead();
    } else if (silent_ms >= BEAT_MS / 2 && now_ms - this.#asked_ms >= BEAT_MS / 2) {
      this.#asked_ms = now_ms;
      this.#send(pingLine(this.#beats++)).catch(() => undefined); // Its silence tells.
    }
  }
}
