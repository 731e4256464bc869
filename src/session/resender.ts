import type { Child } from "./child.ts";
import type { World } from "./supervisor.ts";

/** A session that no database took is tried again after this; it doubles each time, up to the longest. */
const FIRST_PAUSE_S = 60;
const LONGEST_PAUSE_S = 3600;

/**
 * Sends what the ended sessions of a bench left waiting: one process at a time, beside the measurements. Everything
 * happens in {@link poll}.
 */
export class Resender {
  readonly #world: Pick<World, "now_s" | "start">;
  readonly #log: string;
  readonly #again = new Map<string, { readonly at_s: number; readonly pause_s: number }>();
  #child: Child | undefined;
  #session = "";

  /** @param log file that what is said goes to */
  constructor(world: Pick<World, "now_s" | "start">, log: string) {
    this.#world = world;
    this.#log = log;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** @param waiting folders of sessions that nobody measures into, and of which a database lacks something */
  poll(waiting: () => readonly string[]): void {
    if (this.#child) this.#look(this.#child);
    if (this.#child) return;
    const now_s = this.#world.now_s();
    const next = waiting().find((session) => (this.#again.get(session)?.at_s ?? 0) <= now_s);
    if (next === undefined) return;
    this.#session = next;
    this.#child = this.#world.start(["resend", next], this.#log);
  }

  /** Ends it in order: what was not sent stays where it is. */
  stop(): void {
    this.#child?.kill("SIGTERM");
  }

  #look({ ended }: Child): void {
    if (!ended) return;
    this.#child = undefined;
    const pause_s = Math.min(LONGEST_PAUSE_S, 2 * (this.#again.get(this.#session)?.pause_s ?? FIRST_PAUSE_S / 2));
    if (ended.code === 0) this.#again.delete(this.#session);
    else this.#again.set(this.#session, { at_s: ended.at_s + pause_s, pause_s });
  }
}
