import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import type { Lapse, TapeRecord } from "../model/tape.ts";
import { compress } from "./compress.ts";
import { type Disk, realDisk } from "./disk.ts";
import { Held, type Mark } from "./held.ts";
import { lapseRecord, OpenLapse } from "./lapse.ts";
import { Reserve } from "./reserve.ts";
import { quietly, SegmentFile } from "./segment-file.ts";
import { mustDrop, type TapeOptions } from "./tape-options.ts";

/** A segment is closed beyond this size, so that a reader can hold one in memory. */
const SEGMENT_BYTES = 32 * 1024 * 1024;
/** Bytes kept back before they are handed to the kernel even between two flushes. */
const HELD_BYTES = 256 * 1024;
/** Space beyond the reserve that a tape needs to begin again, bytes. */
const RESUME_BYTES = 1024 * 1024;
/** The system's words for a disk that has no room; every other error is one of the disk itself. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** A tape that is to end is given up when it could not after so many tries. */
const END_TRIES = 3;

/**
 * Appends records to the segments of one session. The session calls {@link flush} every 100 ms and {@link sync}
 * every second.
 *
 * @throws JoulebenchError `sink` from the constructor when there is no place to begin; from every other method once
 *   the disk has refused something, with `onRefusal: "pause"` only from {@link close} when nothing more could be kept
 */
export class TapeWriter {
  readonly #dir: string;
  readonly #disk: Disk;
  readonly #options: TapeOptions;
  readonly #reserve: Reserve;
  readonly #held = new Held();
  /** Segments that are full, in order, not yet acknowledged as a whole. */
  readonly #full: SegmentFile[] = [];
  #segment: SegmentFile | undefined;
  #numbers = 0;
  /** Why there is no segment to write to. */
  #refusal: unknown;
  #lapse: OpenLapse | undefined;
  #appended: Mark = { seq: -1, host_ns: 0 };
  /** The last record that was acknowledged, or given up as suspect. */
  #settled: Mark = { seq: -1, host_ns: 0 };
  #committing: Promise<void> | undefined;
  #compressing: Promise<void> = Promise.resolve();
  /** What the user was told last about this disk; nothing once it has kept something again. */
  #told: string | undefined;
  #isEnding = false;

  constructor(dir: string, options: TapeOptions = {}) {
    this.#dir = dir;
    this.#disk = options.disk ?? realDisk;
    this.#options = options;
    this.#reserve = new Reserve(this.#disk, dir, options.reserve_bytes ?? 0);
    this.#guard("make the folder of", () => this.#disk.makeFolder(dir));
    this.#guard("reserve space for", () => this.#reserve.take());
    this.#guard("open", () => this.#open());
  }

  /** True while what comes is not kept, because the disk takes nothing. */
  get isPaused(): boolean {
    return this.#segment === undefined;
  }

  /** What comes after {@link close} is no part of the tape. */
  append(record: TapeRecord): void {
    if (this.#isEnding) return;
    if (!this.#segment && mustDrop(record, this.#held.length, this.#options)) {
      this.#lapse ??= new OpenLapse(reasonOf(this.#refusal), record.seq, this.#appended.host_ns);
      this.#lapse.add(record);
      return;
    }
    if (this.#lapse) this.#endLapse(record.host_ns);
    this.#held.add(record);
    this.#appended = record;
    if (this.#segment && this.#held.length >= HELD_BYTES) this.flush();
  }

  /** Hands everything appended so far to the kernel. */
  flush(): void {
    if (!this.#segment || this.#held.length === 0) return;
    if (this.#handOver(this.#segment) && this.#segment.length >= SEGMENT_BYTES) {
      this.#full.push(this.#segment);
      this.#attempt("open", () => this.#open());
    }
  }

  /** Asks the disk to keep what the kernel has, off the reading path; begins again where it had to stop. */
  sync(): Promise<void> {
    this.#committing ??= this.#commit().finally(() => {
      this.#committing = undefined;
    });
    return this.#committing;
  }

  /** Flushes, syncs and compresses what is still open, with whatever space there is. */
  async close(): Promise<void> {
    await this.#committing?.catch(() => {});
    this.#isEnding = true;
    for (let tries = 0; tries === 0 || (this.#isOwing && tries < END_TRIES); tries++) {
      if (!this.#segment) this.#resume();
      if (this.#segment && this.#lapse) this.#endLapse();
      this.flush();
      if (this.#segment) this.#full.push(this.#segment);
      this.#segment = undefined;
      await this.#commit();
    }
    this.#reserve.release();
    await this.#compressing;
    if (this.#isOwing) throw this.#failure("end", this.#refusal);
  }

  /** Something has still to be written. */
  get #isOwing(): boolean {
    return this.#held.length > 0 || this.#lapse !== undefined;
  }

  #endLapse(to_ns?: number): void {
    this.#held.add(lapseRecord(this.#lapse!.ended(to_ns)));
    this.#lapse = undefined;
  }

  /** @returns false when that was not all, and the segment is no more the one in use */
  #handOver(segment: SegmentFile): boolean {
    let { written, cause } = segment.write(this.#held.bytes, 0);
    const usesReserve = cause !== undefined && isFull(cause) && this.#reserve.release();
    const refusal = cause;
    if (usesReserve) ({ written, cause } = segment.write(this.#held.bytes, written));
    segment.last = this.#held.consume(written) ?? segment.last;
    if (refusal === undefined) return true;
    if (isFull(refusal) && (cause === undefined || isFull(cause))) this.#pause(refusal);
    else this.#abandon(segment, "write", cause);
    return false;
  }

  /** The disk is full: what stands there is sound. */
  #pause(cause: unknown): void {
    const segment = this.#segment!;
    const { seq, host_ns } = segment.last ?? this.#settled;
    const marker = lapseRecord(new OpenLapse(reasonOf(cause), seq + 1, host_ns).ended());
    // Whoever reads a tape that ends here learns why; a torn record must stay the last, to be seen as torn.
    if (this.#held.length === 0) {
      this.#held.add(marker);
      this.#held.consume(segment.write(this.#held.bytes, 0).written);
    }
    this.#full.push(segment);
    this.#refused("write", cause);
  }

  /** The disk failed: of what it has not acknowledged nobody knows. */
  #abandon(segment: SegmentFile, what: string, cause: unknown): void {
    segment.isTrusted = false;
    void segment.close();
    const { last } = segment;
    if (last && last.seq > this.#settled.seq) {
      const { seq, host_ns } = this.#settled;
      const stretch = { fromSeq: seq + 1, toSeq: last.seq, from_ns: host_ns, to_ns: last.host_ns };
      const lapse: Lapse = { state: "suspect", ...stretch, dropped: {}, cause: reasonOf(cause) };
      this.#held.add(lapseRecord(lapse));
      this.#settled = last;
      this.#tell(`${segment.path}: ${suspicion(lapse)}`);
    }
    if (this.#segment !== segment && this.#options.onRefusal === "pause") return;
    // A disk that has kept nothing of a whole segment is asked again with the next sync, not at once.
    if (segment.isProven && this.#options.onRefusal === "pause" && this.#reopened()) return;
    this.#refused(what, cause);
  }

  #reopened(): boolean {
    try {
      this.#open();
      return true;
    } catch {
      return false;
    }
  }

  #attempt(what: string, act: () => void): void {
    try {
      act();
    } catch (cause) {
      this.#refused(what, cause);
    }
  }

  /** There is no segment to go on with. */
  #refused(what: string, cause: unknown): void {
    this.#segment = undefined;
    this.#refusal = cause;
    if (this.#options.onRefusal !== "pause") throw this.#failure(what, cause);
    const remedy = isFull(cause) ? "free space there; recording goes on by itself then" : "it is tried again every second";
    if (!this.#isEnding)
      this.#tell(`${this.#dir}: cannot ${what} the tape (${reasonOf(cause)}): what comes now is counted and not kept; ${remedy}`);
  }

  #tell(message: string): void {
    if (this.#told !== message) this.#options.notice?.(message);
    this.#told = message;
  }

  #resume(): void {
    const { bytes } = this.#reserve;
    try {
      if (!this.#isEnding) {
        if (isFull(this.#refusal) && this.#disk.free_bytes(this.#dir) < bytes + bytes / 4 + RESUME_BYTES) return;
        this.#reserve.take();
      }
      this.#open();
    } catch (cause) {
      this.#reserve.release();
      this.#refusal = cause;
      return;
    }
    this.flush();
  }

  /** One after the other in the order of the tape, so that what is acknowledged has no hole. */
  async #commit(): Promise<void> {
    if (!this.#segment && !this.#isEnding) this.#resume();
    for (let segment = this.#full[0]; segment; segment = this.#full[0]) {
      await this.#settle(segment);
      await segment.close();
      this.#full.shift();
      if (segment.isTrusted && this.#options.compressed !== false) this.#compress(segment);
    }
    if (this.#segment) await this.#settle(this.#segment);
  }

  async #settle(segment: SegmentFile): Promise<void> {
    const { last } = segment;
    if (!last || (segment.isProven && last.seq <= this.#settled.seq)) return;
    try {
      await segment.sync();
    } catch (cause) {
      this.#abandon(segment, "sync", cause);
      return;
    }
    if (!segment.isTrusted) return;
    segment.isProven = true;
    if (this.#told !== undefined && segment === this.#segment) {
      this.#options.notice?.(`${this.#dir}: recording; what was not kept is on the tape as a gap`);
      this.#told = undefined;
    }
    if (last.seq > this.#settled.seq) this.#options.acknowledged?.(this.#settled.seq + 1, last.seq);
    this.#settled = last;
  }

  /** A segment that cannot be compressed stays as it is: nothing is lost by it but space. */
  #compress({ path, length }: SegmentFile): void {
    this.#compressing = this.#compressing
      .then(async () => {
        if (this.#disk.free_bytes(this.#dir) > 2 * length || this.#isEnding) await compress(this.#disk, path);
      })
      .catch((cause: unknown) => this.#options.notice?.(`${path}: stays uncompressed (${reasonOf(cause)})`));
  }

  #open(): void {
    this.#segment = new SegmentFile(this.#disk, join(this.#dir, `${String(this.#numbers++).padStart(6, "0")}.seg`));
  }

  #guard(what: string, act: () => void): void {
    try {
      act();
    } catch (cause) {
      throw this.#failure(what, cause);
    }
  }

  #failure(what: string, cause: unknown): JoulebenchError {
    quietly(() => this.#reserve.release());
    const subject = this.#segment?.path ?? this.#dir;
    return new JoulebenchError("sink", subject, `cannot ${what} the tape (${reasonOf(cause)}); free space or choose another --out`, {
      cause,
    });
  }
}

const isFull = (cause: unknown): boolean => FULL.has((cause as NodeJS.ErrnoException | undefined)?.code ?? "");

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

const suspicion = ({ cause, from_ns, to_ns }: Lapse): string =>
  `the disk failed (${cause}): what came from ${(from_ns / 1e9).toFixed(1)} s to ${(to_ns / 1e9).toFixed(1)} s is suspect; recording goes on in a new segment`;
