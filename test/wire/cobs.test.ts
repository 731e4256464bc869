import { expect, test } from "vitest";
import { CobsReader, decodeCobs } from "../../src/wire/cobs.ts";
import { crc16 } from "../../src/wire/crc16.ts";

/** Plain COBS after the paper, written for the test. */
function encode(payload: readonly number[]): number[] {
  const crc = crc16(Uint8Array.from(payload));
  const out: number[] = [];
  let group: number[] = [];
  for (const byte of [...payload, crc & 0xff, crc >> 8, 0]) {
    if (byte !== 0) group.push(byte);
    if (byte === 0 || group.length === 254) {
      out.push(group.length + 1, ...group);
      group = [];
    }
  }
  return [0, ...out, 0];
}

function read(bytes: readonly number[], cut = bytes.length) {
  const found = { frames: [] as number[][], text: "", bad: 0 };
  const reader = new CobsReader(300, {
    frame: (payload) => found.frames.push([...payload]),
    text: (piece) => {
      found.text += Buffer.from(piece).toString("latin1");
    },
    bad: () => {
      found.bad++;
    },
  });
  for (let at = 0; at < bytes.length; at += cut) reader.push(Uint8Array.from(bytes.slice(at, at + cut)));
  return found;
}

const text = (line: string) => [...Buffer.from(line)];
const long = Array.from({ length: 290 }, (_, k) => (k % 289) + 1).map((value) => (value % 255) + 1);
const stream = [...encode([1, 0, 0, 2]), ...encode([0]), ...text("ok stop\n"), ...encode(long.slice(0, 260)), ...encode([9, 9])];

test("undoes the examples of the paper's encoding", () => {
  const out = new Uint8Array(8);
  const decode = (bytes: number[]) => [...out.subarray(0, decodeCobs(Uint8Array.from(bytes), 0, bytes.length, out))];
  expect(decode([1, 1])).toEqual([0]);
  expect(decode([3, 0x11, 0x22, 2, 0x33])).toEqual([0x11, 0x22, 0, 0x33]);
  expect(decodeCobs(Uint8Array.from([5, 1, 2]), 0, 3, out)).toBe(-1);
});

test.each([1, 2, 3, 7, 64, 10_000])("finds the same in chunks of %i bytes", (cut) => {
  const found = read(stream, cut);
  expect(found.frames).toEqual([[1, 0, 0, 2], [0], long.slice(0, 260), [9, 9]]);
  expect(found).toMatchObject({ text: "ok stop\n", bad: 0 });
});

test("drops a damaged frame whole and nothing beside it, whichever bit flips", () => {
  const damaged = encode([5, 6, 7, 0, 8]);
  for (let bit = 8; bit < (damaged.length - 1) * 8; bit++) {
    const hit = damaged.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    const found = read([...encode([1]), ...hit, ...encode([2]), ...text("ok stop\n")]);
    expect(found.frames, `bit ${bit}`).toEqual([[1], [2]]);
    expect(found.text).toContain("ok stop\n");
    expect(found.bad).toBeGreaterThan(0);
  }
});

test("a lost delimiter costs at most the frame it belongs to", () => {
  const first = encode([1, 2, 3]);
  const second = encode([4, 5, 6]);
  expect(read([...first.slice(0, -1), ...second, ...encode([7])]).frames).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  expect(read([...first, ...second.slice(1), ...encode([7])]).frames).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  expect(read([...first.slice(0, -1), ...second.slice(1), ...encode([7])]).frames).toEqual([[7]]);
});

test("joins a stream in the middle of a frame", () => {
  const found = read([...encode([1, 2, 3, 4]).slice(3), ...encode([5]), ...encode([6])]);
  expect(found.frames).toEqual([[5], [6]]);
});

test("garbage without a delimiter stays within the bound", () => {
  const found = read([0, ...Array.from({ length: 5000 }, () => 0x55), 0, ...encode([1])], 100);
  expect(found).toMatchObject({ frames: [[1]], bad: 1 });
});
