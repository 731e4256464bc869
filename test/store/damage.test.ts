import { mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TapeRecord } from "../../src/model/tape.ts";
import { encodeRecord, SEGMENT_HEADER } from "../../src/store/record.ts";
import { readSegment } from "../../src/store/segment.ts";
import { TapeReader } from "../../src/store/tape-reader.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "damage-test-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const record = (seq: number): TapeRecord => ({
  seq,
  source: "meter",
  kind: "rx",
  host_ns: seq * 1e6,
  bytes: Uint8Array.from({ length: 40 }, (_, k) => (seq * 31 + k * k * 7) & 0xff),
});

/** A compressed segment of the records from `from` on. */
function write(name: string, from: number, count: number): Buffer {
  const records = Array.from({ length: count }, (_, k) => encodeRecord(record(from + k)));
  const bytes = gzipSync(Buffer.concat([SEGMENT_HEADER, ...records]));
  writeFileSync(join(dir, name), bytes);
  return bytes;
}

const seqs = (): number[] => [...new TapeReader(dir).records()].map((each) => each.seq);

test("a compressed segment cut anywhere, damaged anywhere: never an error, always a beginning, always said", () => {
  const whole = write("000000.seg.gz", 0, 300);
  const isBeginning = (found: readonly number[]): boolean => found.every((seq, k) => seq === k);
  for (let at = 0; at < whole.length; at += 97) {
    writeFileSync(join(dir, "000000.seg.gz"), whole.subarray(0, at));
    expect([isBeginning(seqs()), new TapeReader(dir).damagedBytes() > 0]).toEqual([true, true]);
    // The first ten bytes are gzip's header, in which time and system mean nothing to us.
    if (at < 10) continue;
    const turned = Buffer.from(whole);
    turned[at]! ^= 0x55;
    writeFileSync(join(dir, "000000.seg.gz"), turned);
    expect(new TapeReader(dir).damagedBytes()).toBeGreaterThan(0);
    const found = seqs();
    expect(found.every((seq, k) => k === 0 || seq > found[k - 1]!)).toBe(true);
  }
});

test("damage late in a segment costs the end, not the beginning", () => {
  const whole = write("000000.seg.gz", 0, 2000);
  const turned = Buffer.from(whole);
  turned[Math.floor(whole.length * 0.8)]! ^= 0xff;
  writeFileSync(join(dir, "000000.seg.gz"), turned);
  expect(readSegment(join(dir, "000000.seg.gz")).isWhole).toBe(false);
  expect(seqs().length).toBeGreaterThan(1000);
});

test("a segment that is gone is missed, though every record that is left is whole", () => {
  for (const [k, name] of ["000000.seg.gz", "000001.seg.gz", "000002.seg.gz"].entries()) write(name, k * 10, 10);
  expect(new TapeReader(dir).damagedBytes()).toBe(0);
  unlinkSync(join(dir, "000001.seg.gz"));
  expect(readdirSync(dir)).toHaveLength(2);
  expect(seqs()).toHaveLength(20);
  expect(new TapeReader(dir).damagedBytes()).toBe(1);
});

test("one that is not compressed is read as it stands", () => {
  const bytes = Buffer.concat([SEGMENT_HEADER, encodeRecord(record(0))]);
  writeFileSync(join(dir, "000000.seg"), bytes);
  expect(readSegment(join(dir, "000000.seg"))).toEqual({ bytes: readFileSync(join(dir, "000000.seg")), isWhole: true });
});
