import { expect, it } from "vitest";
import { ChunkQueue, QUEUE_BYTES, QUEUE_CHUNKS } from "../../src/ports/queue.ts";

const chunk = (size: number, host_ns = 0) => ({ bytes: new Uint8Array(size), host_ns });

it.each([
  ["bytes", QUEUE_BYTES / 4, 4],
  ["chunks", 1, QUEUE_CHUNKS],
])("asks for a pause when it has enough %s, and for more when half of them are taken", async (_, size, count) => {
  let resumed = 0;
  const queue = new ChunkQueue(() => resumed++);
  for (let i = 1; i < count; i++) expect(queue.push(chunk(size))).toBe(true);
  expect(queue.push(chunk(size))).toBe(false);
  const chunks = queue[Symbol.asyncIterator]();
  for (let i = 0; i < count / 2 - 1; i++) await chunks.next();
  expect([resumed, queue.full]).toEqual([0, true]);
  await chunks.next();
  expect([resumed, queue.full]).toEqual([1, false]);
});

it("delivers what came before a failure, then fails, for every consumer", async () => {
  const queue = new ChunkQueue(() => {});
  queue.push(chunk(1, 7));
  const failure = new Error("gone");
  queue.end(failure);
  queue.end();
  expect(queue.push(chunk(1))).toBe(false);
  const first = queue[Symbol.asyncIterator]();
  expect((await first.next()).value).toMatchObject({ host_ns: 7 });
  await expect(first.next()).rejects.toBe(failure);
  await expect(queue[Symbol.asyncIterator]().next()).rejects.toBe(failure);
});

it("keeps the rest for the next loop when a loop is left", async () => {
  const queue = new ChunkQueue(() => {});
  for (const host_ns of [1, 2]) queue.push(chunk(1, host_ns));
  for await (const { host_ns } of queue) {
    expect(host_ns).toBe(1);
    break;
  }
  expect((await queue[Symbol.asyncIterator]().next()).value).toMatchObject({ host_ns: 2 });
});

it("refuses a second consumer that waits beside the first", async () => {
  const queue = new ChunkQueue(() => {});
  const first = queue[Symbol.asyncIterator]().next();
  await expect(queue[Symbol.asyncIterator]().next()).rejects.toThrow("one consumer");
  queue.end();
  expect(await first).toEqual({ done: true, value: undefined });
});
