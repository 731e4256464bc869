import type { HostNs } from "../model/clock.ts";
import { type Lapse, TAPE, type TapeRecord } from "../model/tape.ts";

/** A lapse as it stands on the tape: in the place of the records it speaks of, by their last `seq`. */
export const lapseRecord = (lapse: Lapse): TapeRecord => ({
  seq: lapse.toSeq,
  source: TAPE,
  kind: "control",
  host_ns: lapse.to_ns,
  bytes: new TextEncoder().encode(JSON.stringify({ lapse })),
});

/** The lapse a record states; undefined for every other record. */
export function lapseOf({ source, kind, bytes }: TapeRecord): Lapse | undefined {
  if (source !== TAPE || kind !== "control") return undefined;
  return (JSON.parse(new TextDecoder().decode(bytes)) as { lapse?: Lapse }).lapse;
}

/** Counts what a tape that has no place for it must drop. */
export class OpenLapse {
  readonly #cause: string;
  readonly #fromSeq: number;
  readonly #from_ns: HostNs;
  readonly #dropped: Record<string, { records: number; bytes: number }> = {};
  #toSeq: number;
  #last_ns: HostNs;

  /** @param from_ns host time of the last record that was kept */
  constructor(cause: string, fromSeq: number, from_ns: HostNs) {
    this.#cause = cause;
    this.#fromSeq = fromSeq;
    this.#toSeq = fromSeq - 1;
    this.#from_ns = this.#last_ns = from_ns;
  }

  add({ seq, source, host_ns, bytes }: TapeRecord): void {
    this.#toSeq = seq;
    this.#last_ns = host_ns;
    const sum = this.#dropped[source] ?? { records: 0, bytes: 0 };
    this.#dropped[source] = sum;
    sum.records++;
    sum.bytes += bytes.length;
  }

  /** @param to_ns host time of the first record that is kept again; the last one dropped when there is none */
  ended(to_ns: HostNs = this.#last_ns): Lapse {
    const [fromSeq, toSeq, from_ns] = [this.#fromSeq, this.#toSeq, this.#from_ns];
    return { state: "missing", fromSeq, toSeq, from_ns, to_ns, dropped: this.#dropped, cause: this.#cause };
  }
}
