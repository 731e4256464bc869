import type { HostNs } from "../model/clock.ts";
import type { TapeRecord } from "../model/tape.ts";
import { decodeRecord, encodeInto, recordLength } from "./record.ts";

/** Where a stretch of records ends. */
export interface Mark {
  readonly seq: number;
  readonly host_ns: HostNs;
}

const FIRST_BYTES = 512 * 1024;

/** Records that wait to be handed to the kernel, one after the other in one piece of memory. */
export class Held {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #last: Mark | undefined;

  get length(): number {
    return this.#length;
  }

  /** All of it, as it goes on the tape; a view that the next call may overwrite. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  add(record: TapeRecord): void {
    const length = this.#length + recordLength(record);
    if (length > this.#bytes.length) this.#grow(length);
    this.#length = encodeInto(this.#bytes, this.#view, this.#length, record);
    // The record itself stands for its place: an object for each would cost as much as all the rest.
    if (!this.#last || record.seq >= this.#last.seq) this.#last = record;
  }

  /**
   * Forgets the records that stand wholly in the first `written` bytes; one that was torn is kept whole.
   *
   * @returns the last one forgotten
   */
  consume(written: number): Mark | undefined {
    if (written === this.#length) {
      this.#length = 0;
      return this.#last;
    }
    let [end, last]: [number, Mark | undefined] = [0, undefined];
    for (let found = decodeRecord(this.bytes, 0); found && found.next <= written; found = decodeRecord(this.bytes, found.next)) {
      end = found.next;
      last = later(last, found.record);
    }
    this.#bytes.copyWithin(0, end, this.#length);
    this.#length -= end;
    return last;
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
    larger.set(this.bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** A statement about a stretch may stand behind records that came after it. */
const later = (last: Mark | undefined, { seq, host_ns }: Mark): Mark => (last && last.seq > seq ? last : { seq, host_ns });
