import type { SessionSeconds } from "../model/clock.ts";
import type { Fault } from "../model/errors.ts";
import { addToken, complete, type Draft, type TimedRequest } from "./draft.ts";
import { defect, sameStamp, type TimedEvent } from "./timed.ts";

/** A request of which the end is missing occupied the device at least until its last event. */
export interface Abandoned {
  readonly start_s: SessionSeconds;
  readonly end_s: SessionSeconds;
}

/** Events of a request that never started, counted until it ends. */
interface Orphan {
  readonly at: TimedEvent;
  count: number;
}

/** Puts the events of one source together to requests; what is wrong with them is noted. */
export function requests(timed: readonly TimedEvent[], faults: Fault[]): { finished: TimedRequest[]; abandoned: Abandoned[] } {
  const reader = new RequestReader(faults);
  for (const here of timed) reader.push(here);
  return reader.end();
}

class RequestReader {
  readonly #faults: Fault[];
  readonly #open = new Map<string, Draft>();
  readonly #orphans = new Map<string, Orphan>();
  /** Start and end of the last finished request of each name. */
  readonly #ended = new Map<string, readonly [TimedEvent, TimedEvent]>();
  readonly #finished: TimedRequest[] = [];
  readonly #abandoned: Abandoned[] = [];

  constructor(faults: Fault[]) {
    this.#faults = faults;
  }

  push(here: TimedEvent): void {
    const { type, request } = here.event;
    const draft = this.#open.get(request);
    if (type === "request_start") this.#start(here);
    else if (type !== "first_token" && type !== "token" && type !== "request_end") return;
    else if (draft) this.#add(draft, here);
    else this.#orphan(here);
  }

  #add(draft: Draft, here: TimedEvent): void {
    const { type, request } = here.event;
    if (type === "token" && !addToken(draft, here)) return;
    if (type === "first_token" && draft.first) {
      this.#faults.push(defect(here, "duplicate_event", 1, `request ${request}: first_token came twice`));
      return;
    }
    if (here.at_s < draft.latest.at_s) draft.late++;
    else draft.latest = here;
    if (type === "first_token") draft.first = here;
    if (type === "request_end") this.#finish(draft, here);
  }

  end(): { finished: TimedRequest[]; abandoned: Abandoned[] } {
    for (const draft of this.#open.values()) this.#abandon(draft);
    for (const request of this.#orphans.keys()) this.#settleOrphan(request);
    return { finished: this.#finished, abandoned: this.#abandoned };
  }

  #start(here: TimedEvent): void {
    const { request } = here.event;
    const open = this.#open.get(request);
    if (sameStamp(open?.start, here)) {
      this.#faults.push(defect(here, "duplicate_event", 1, `request ${request}: request_start came twice`));
      return;
    }
    if (open) this.#abandon(open);
    this.#settleOrphan(request);
    this.#open.set(request, { start: here, tokens: [], repeated: [], latest: here, late: 0 });
  }

  #finish(draft: Draft, end: TimedEvent): void {
    const { request } = end.event;
    this.#open.delete(request);
    const before = this.#ended.get(request);
    if (before && sameStamp(before[0], draft.start) && sameStamp(before[1], end)) {
      const count = 2 + draft.tokens.length + draft.repeated.length + (draft.first ? 1 : 0);
      this.#faults.push(defect(end, "duplicate_event", count, `request ${request}: the whole request came twice`));
      return;
    }
    this.#ended.set(request, [draft.start, end]);
    if (draft.late > 0) this.#faults.push(defect(end, "late_event", draft.late, `request ${request}: stamps run back`));
    const finished = complete(draft, end, this.#faults);
    if (finished) this.#finished.push(finished);
    else {
      this.#faults.push(defect(end, "unpaired_event", 1, `request ${request} has no first_token`));
      this.#abandoned.push({ start_s: draft.start.at_s, end_s: draft.latest.at_s });
    }
  }

  #abandon(draft: Draft): void {
    const { start, latest } = draft;
    this.#faults.push(defect(latest, "unpaired_event", 1, `request ${start.event.request} has no request_end`));
    this.#open.delete(start.event.request);
    this.#abandoned.push({ start_s: start.at_s, end_s: latest.at_s });
  }

  #orphan(here: TimedEvent): void {
    const { type, request } = here.event;
    if (type === "request_end" && sameStamp(this.#ended.get(request)?.[1], here)) {
      this.#faults.push(defect(here, "duplicate_event", 1, `request ${request}: request_end came twice`));
      return;
    }
    const orphan = this.#orphans.get(request) ?? { at: here, count: 0 };
    orphan.count++;
    this.#orphans.set(request, orphan);
    if (type === "request_end") this.#settleOrphan(request);
  }

  #settleOrphan(request: string): void {
    const orphan = this.#orphans.get(request);
    if (!orphan) return;
    this.#orphans.delete(request);
    const when = this.#ended.has(request) ? "after its request_end" : "without request_start";
    this.#faults.push(defect(orphan.at, "unpaired_event", orphan.count, `request ${request}: ${orphan.count} events came ${when}`));
  }
}
