import type { HostNs } from "../model/clock.ts";
import type { LoggedEvent } from "../model/parser.ts";
import { type Begun, endedBadly, parseStatement } from "./statement.ts";

/**
 * Ends that only the driver knows of: it gave a request up, or the program that would have told of it is gone.
 *
 * What the program has told to its end itself is left as it is.
 */
export class StatedEnds {
  #begun: Begun | undefined;
  /** What the program said has begun for that request. */
  #start: LoggedEvent | undefined;
  #isOver = false;

  /** Takes note of what the program itself says. */
  hear(event: LoggedEvent): void {
    // A stage is a part of what was asked for.
    if (event.request !== this.#begun?.request || event.phase !== undefined) return;
    if (STARTS.has(event.type)) this.#start = event;
    else if (ENDS.has(event.type)) this.#isOver = true;
  }

  /** @returns the end of a request that ended badly, on the host's clock; nothing for every other line that went out */
  sent(line: string, host_ns: HostNs): readonly LoggedEvent[] {
    const statement = parseStatement(line, host_ns);
    if (statement?.type === "begin") [this.#begun, this.#start, this.#isOver] = [statement.begun, undefined, false];
    if (statement?.type !== "end" || statement.outcome === "ok" || this.#isOver) return [];
    const { request, outcome, at_s } = statement;
    if (this.#begun?.request !== request) return [];
    this.#isOver = true;
    if (!this.#start) return endedBadly(this.#begun, outcome, at_s);
    const { type, unit } = this.#start;
    const end = type === "unit_start" ? "unit_end" : "request_end";
    return [{ type: end, request, tick: at_s, clock: "host", outcome, ...(unit === undefined ? {} : { unit }) }];
  }
}

const STARTS: ReadonlySet<string> = new Set(["request_start", "unit_start"]);
const ENDS: ReadonlySet<string> = new Set(["request_end", "unit_end"]);
