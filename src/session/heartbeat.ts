import { HEARTBEAT_IDS, pingLine } from "../wire/ping.ts";

/** A line is sent when nothing was heard for a second; after three the link is dead. Neither adb nor ssh notices by itself. */
const BEAT_MS = 1000;
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
  #beats = HEARTBEAT_IDS;
  #timer: NodeJS.Timeout | undefined;

  /** @param dead called once, when nothing was heard for {@link DEAD_MS} */
  constructor(send: (line: string) => Promise<void>, dead: () => void) {
    this.#send = send;
    this.#dead = dead;
    this.#timer = setInterval(() => this.#beat(), BEAT_MS / 2);
  }

  /** Something came over the link. */
  heard(): void {
    this.#heard_ms = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    const silent_ms = performance.now() - this.#heard_ms;
    if (silent_ms >= DEAD_MS - BEAT_MS / 2) {
      this.stop();
      this.#dead();
    } else if (silent_ms >= BEAT_MS / 2) this.#send(pingLine(this.#beats++)).catch(() => undefined); // Its silence tells.
  }
}
