import { Subject } from "rxjs";
import type { HostNs } from "../model/clock.ts";
import type { RecordKind, TapeRecord } from "../model/tape.ts";

/** What a record is before it has its place in the order. */
export interface Entry {
  readonly source: string;
  readonly kind: RecordKind;
  readonly host_ns: HostNs;
  readonly bytes: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/**
 * Gives everything that happens its place on the tape, and only then lets it be processed.
 *
 * An entry made while another is being processed, as when a driver writes an answer, waits its turn: the order on
 * the tape is the order of processing, so a replay goes the same way.
 */
export class Recorder {
  readonly records$ = new Subject<TapeRecord>();
  readonly #keep: (record: TapeRecord) => void;
  readonly #waiting: TapeRecord[] = [];
  #seq = 0;
  #isProcessing = false;

  /** @param keep appends to the tape; what it throws ends the session */
  constructor(keep: (record: TapeRecord) => void) {
    this.#keep = keep;
  }

  append({ source, kind, host_ns, bytes }: Entry): void {
    const record = { seq: this.#seq++, source, kind, host_ns, bytes };
    this.#keep(record);
    this.#waiting.push(record);
    if (this.#isProcessing) return;
    this.#isProcessing = true;
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.records$.next(next);
    } finally {
      this.#isProcessing = false;
    }
  }

  state(source: string, kind: RecordKind, host_ns: HostNs, content: unknown): void {
    this.append({ source, kind, host_ns, bytes: new TextEncoder().encode(JSON.stringify(content)) });
  }

  /** Nothing happens any more: whoever waits for something is told. */
  end(): void {
    this.records$.complete();
  }

  tick(host_ns: HostNs): void {
    this.append({ source: "session", kind: "tick", host_ns, bytes: EMPTY });
  }
}
