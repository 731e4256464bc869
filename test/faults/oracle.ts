import type { Lapse, TapeRecord } from "../../src/model/tape.ts";
import { lapseOf } from "../../src/store/lapse.ts";
import { TapeReader } from "../../src/store/tape-reader.ts";

/** The content of record `seq` is a function of `seq`: whatever is read back can be judged. `recorder.js` makes the same. */
export const bytesOf = (seq: number): Uint8Array =>
  Uint8Array.from({ length: 20 + ((seq * 7919) % 180) }, (_, k) => (seq * 31 + k * 7) & 0xff);

/** Every eighth is a statement of the session, which outlives a full disk. */
export const isStatement = (seq: number): boolean => seq % 8 === 7;

export const recordOf = (seq: number, host_ns = seq * 1e6): TapeRecord => ({
  seq,
  source: isStatement(seq) ? "session" : "meter",
  kind: isStatement(seq) ? "control" : "rx",
  host_ns,
  bytes: isStatement(seq) ? new TextEncoder().encode(JSON.stringify({ note: seq })) : bytesOf(seq),
});

/** What a tape holds, as the oracle sees it. */
export interface Found {
  readonly records: ReadonlyMap<number, TapeRecord>;
  readonly lapses: readonly Lapse[];
  readonly damaged_bytes: number;
}

export function readTape(dir: string): Found {
  const reader = new TapeReader(dir);
  const records = new Map<number, TapeRecord>();
  const lapses: Lapse[] = [];
  for (const record of reader.records()) {
    const lapse = lapseOf(record);
    if (lapse) lapses.push(lapse);
    else records.set(record.seq, record);
  }
  return { records, lapses, damaged_bytes: reader.damagedBytes() };
}

/** Knows what was issued and what was acknowledged. */
export class Oracle {
  /** How many records were issued, from 0. */
  issued = 0;
  readonly #acknowledged: [number, number][] = [];

  acknowledge(fromSeq: number, toSeq: number): void {
    this.#acknowledged.push([fromSeq, toSeq]);
  }

  /** The last record acknowledged; -1 when there is none. */
  get acknowledged(): number {
    return this.#acknowledged.at(-1)?.[1] ?? -1;
  }

  /**
   * What is wrong with a tape; nothing, when all is well.
   *
   * @param end how far the tape must account for what was issued: its last record when it was closed in order, else what
   *   it holds
   */
  wrongs({ records, lapses }: Found, end: "closed" | "cut"): string[] {
    const wrongs: string[] = [];
    const say = (wrong: string): void => {
      if (wrongs.length < 5) wrongs.push(wrong);
    };
    for (const [seq, record] of records) {
      if (seq >= this.issued) say(`${seq} was never issued`);
      if (!same(record, recordOf(seq, record.host_ns))) say(`${seq} is not what was issued`);
    }
    const stated = (seq: number, ...states: Lapse["state"][]): boolean =>
      lapses.some((lapse) => states.includes(lapse.state) && seq >= lapse.fromSeq && seq <= lapse.toSeq);
    for (const [from, to] of this.#acknowledged)
      for (let seq = from; seq <= to; seq++) if (!records.has(seq) && !stated(seq, "missing")) say(`${seq} was acknowledged and is gone`);
    const acknowledged = (seq: number): boolean => this.#acknowledged.some(([from, to]) => seq >= from && seq <= to);
    const last = end === "closed" ? this.issued - 1 : Math.max(-1, ...records.keys());
    for (let seq = 0; seq <= last; seq++) {
      if (!records.has(seq) && !stated(seq, "missing", "suspect")) say(`${seq} is missing and nothing says so`);
      if (acknowledged(seq) && stated(seq, "suspect")) say(`${seq} was acknowledged and is called suspect`);
      if (end === "closed" && !acknowledged(seq) && !stated(seq, "missing", "suspect")) say(`${seq} is neither acknowledged nor suspect`);
      if (records.has(seq) && stated(seq, "missing")) say(`${seq} is called missing and stands there`);
    }
    return wrongs;
  }
}

const same = (a: TapeRecord, b: TapeRecord): boolean =>
  a.source === b.source && a.kind === b.kind && a.bytes.length === b.bytes.length && a.bytes.every((byte, k) => byte === b.bytes[k]);
