import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JoulebenchError } from "../../src/model/errors.ts";
import { RECORD_KINDS, type TapeRecord } from "../../src/model/tape.ts";
import { encodeRecord, SEGMENT_HEADER } from "../../src/store/record.ts";
import { TapeReader } from "../../src/store/tape-reader.ts";
import { TapeWriter } from "../../src/store/tape-writer.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tape-test-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const records: TapeRecord[] = RECORD_KINDS.map((kind, i) => ({
  seq: i,
  source: i % 2 ? "meter" : "gerät",
  kind,
  host_ns: i === 7 ? 2 ** 53 - 1 : i * 1e9,
  bytes: Uint8Array.from({ length: i * 3 }, (_, k) => (k * 37 + i) & 0xff),
}));

const plain = (list: Iterable<TapeRecord>) => [...list].map((each) => ({ ...each, bytes: [...each.bytes] }));

test("what was appended is read back, in order, bit for bit", async () => {
  const writer = new TapeWriter(dir);
  for (const record of records) writer.append(record);
  writer.flush();
  expect(plain(new TapeReader(dir).records())).toEqual(plain(records));
  await writer.close();
  expect(readdirSync(dir)).toEqual(["000000.seg.gz"]);
  const reader = new TapeReader(dir);
  expect(plain(reader.records())).toEqual(plain(records));
  expect(reader.damagedBytes()).toBe(0);
});

test("a tape that was cut off anywhere loses the torn record and says how many bytes that are", () => {
  const whole = Buffer.concat([SEGMENT_HEADER, ...records.map(encodeRecord)]);
  const ends = [SEGMENT_HEADER.length];
  for (const each of records) ends.push(ends.at(-1)! + encodeRecord(each).length);
  for (let length = SEGMENT_HEADER.length; length <= whole.length; length++) {
    writeFileSync(join(dir, "000000.seg"), whole.subarray(0, length));
    const reader = new TapeReader(dir);
    const kept = ends.filter((end) => end <= length).length - 1;
    expect(plain(reader.records())).toEqual(plain(records.slice(0, kept)));
    expect(reader.damagedBytes()).toBe(length - ends[kept]!);
  }
});

test("damage in the middle costs the damaged record only", () => {
  const whole = Buffer.concat([SEGMENT_HEADER, ...records.map(encodeRecord)]);
  const at = SEGMENT_HEADER.length + encodeRecord(records[0]!).length + encodeRecord(records[1]!).length + 20;
  whole[at] = whole[at]! ^ 0x10;
  writeFileSync(join(dir, "000000.seg"), whole);
  const reader = new TapeReader(dir);
  expect([...reader.records()].map((each) => each.seq)).toEqual([0, 1, 3, 4, 5, 6, 7]);
  expect(reader.damagedBytes()).toBe(encodeRecord(records[2]!).length);
});

test("a compressed segment that was cut short still gives what it holds", async () => {
  const many = Array.from({ length: 4000 }, (_, i) => ({ ...records[5]!, seq: i, bytes: Uint8Array.from([i, i >> 3, i * 7, i * 13]) }));
  const zipped = gzipSync(Buffer.concat([SEGMENT_HEADER, ...many.map(encodeRecord)]));
  writeFileSync(join(dir, "000000.seg.gz"), zipped.subarray(0, zipped.length / 2));
  const seqs = [...new TapeReader(dir).records()].map((each) => each.seq);
  expect(seqs.length).toBeGreaterThan(1000);
  expect(seqs).toEqual(seqs.map((_, i) => i));
});

test("a segment under way and its finished compressed copy are one segment", () => {
  const bytes = Buffer.concat([SEGMENT_HEADER, ...records.map(encodeRecord)]);
  writeFileSync(join(dir, "000000.seg"), bytes);
  writeFileSync(join(dir, "000000.seg.gz"), gzipSync(bytes));
  writeFileSync(join(dir, "000001.seg.gz.tmp"), "half");
  expect([...new TapeReader(dir).records()]).toHaveLength(records.length);
});

test("long tapes are cut into segments that one reader joins again", async () => {
  const writer = new TapeWriter(dir);
  const bytes = new Uint8Array(1024 * 1024).map((_, i) => (i * 2654435761) >>> 13);
  for (let seq = 0; seq < 70; seq++) writer.append({ seq, source: "m", kind: "rx", host_ns: seq, bytes });
  await writer.close();
  expect(readdirSync(dir).length).toBeGreaterThan(2);
  for (const name of readdirSync(dir)) expect(gunzipSync(readFileSync(join(dir, name))).length).toBeLessThan(34 * 1024 * 1024);
  expect([...new TapeReader(dir).records()].map((each) => each.seq)).toEqual(Array.from({ length: 70 }, (_, i) => i));
});

test("a folder without a tape is named as such", () => {
  expect(() => new TapeReader(dir)).toThrowError(/no tape here .* is this a session folder\?/);
  expect(() => new TapeReader(join(dir, "nothing"))).toThrowError(JoulebenchError);
});

test("a second writer never overwrites a tape", () => {
  new TapeWriter(dir);
  expect(() => new TapeWriter(dir)).toThrowError(
    expect.objectContaining({ kind: "sink", message: expect.stringMatching(/cannot open the tape.*choose another --out/) }),
  );
});
