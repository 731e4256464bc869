import { performance } from "node:perf_hooks";
import { expect, test } from "vitest";
import { LineReader } from "../../src/wire/lines.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

test("returns every line in the very call that completed it", () => {
  const reader = new LineReader();
  expect(reader.push(bytes("ok sta"))).toEqual([]);
  expect(reader.push(bytes("rt\r\n\npong 1"))).toEqual(["ok start", ""]);
  expect(reader.push(bytes("2\n"))).toEqual(["pong 12"]);
});

test.each([1, 2, 5, 4096])("chunks of %i bytes give the same lines", (cut) => {
  const reader = new LineReader();
  const text = Array.from({ length: 500 }, (_, k) => `line ${k}\xff${"x".repeat(k % 50)}\n`).join("");
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += cut) lines.push(...reader.push(bytes(text.slice(at, at + cut))));
  expect(lines.map((line) => `${line}\n`).join("")).toBe(text);
});

test("a chunk may hold more lines than a stream buffers", () => {
  expect(new LineReader().push(bytes("a\n".repeat(10_000)))).toHaveLength(10_000);
});

test("drops and counts a line beyond the bound, and reads on after it", () => {
  const reader = new LineReader(16);
  expect(reader.push(bytes("0123456789"))).toEqual([]);
  expect(reader.push(bytes("0123456789"))).toEqual([]);
  expect(reader.push(bytes("rest\nnext\n"))).toEqual(["next"]);
  expect(reader.dropped).toBe(25);
  expect(reader.push(bytes(`${"y".repeat(30)}\nlast\n`))).toEqual(["last"]);
  expect(reader.dropped).toBe(56);
});

test("reset forgets a line that has begun", () => {
  const reader = new LineReader();
  reader.push(bytes("garb"));
  reader.reset();
  expect(reader.push(bytes("ok stop\n"))).toEqual(["ok stop"]);
  expect(reader.dropped).toBe(4);
});

test("8 MB of garbage without a newline cost no quadratic time", () => {
  const reader = new LineReader();
  const garbage = new Uint8Array(1024).fill(0x55);
  const started = performance.now();
  for (let k = 0; k < 8192; k++) expect(reader.push(garbage)).toEqual([]);
  expect(reader.dropped).toBeGreaterThan(8e6 - 4096);
  expect(performance.now() - started).toBeLessThan(5000);
});
