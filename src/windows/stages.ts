import type { TimedEvent } from "./timed.ts";

/** A named part of a request, or of a larger unit. */
export interface Stage {
  readonly name: string;
  /** Name of the request it is a part of. */
  readonly of: string;
}

/**
 * Follows which requests and units are open, to tell stages from units that stand alone.
 *
 * A unit with a phase is a stage when a request, or a unit without a phase, of the same name is open. One that names no
 * request belongs to the one begun last: a program that prints its stages need not know what its run is called.
 */
export class Enclosing {
  /** Names of what is open, the one begun last at the end; a request and a unit of one name are one. */
  readonly #open = new Map<string, number>();

  /** Takes the next event in order. @returns the stage it begins or ends, if it is one */
  stageOf({ event: { type, request, phase } }: TimedEvent): Stage | undefined {
    const isUnit = type === "unit_start" || type === "unit_end";
    if (isUnit && phase !== undefined) {
      const of = request === "" ? [...this.#open.keys()].at(-1) : this.#open.has(request) ? request : undefined;
      return of === undefined ? undefined : { name: phase, of };
    }
    if (type === "request_start" || type === "unit_start") this.#count(request, 1);
    else if (type === "request_end" || type === "unit_end") this.#count(request, -1);
    return undefined;
  }

  #count(name: string, change: 1 | -1): void {
    const count = (this.#open.get(name) ?? 0) + change;
    this.#open.delete(name);
    if (count > 0) this.#open.set(name, count);
  }
}
