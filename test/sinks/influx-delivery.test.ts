import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { LIMITS } from "../../src/sinks/courier.ts";
import { readCursor } from "../../src/sinks/outbox.ts";
import { heapBytes } from "../faults/table.ts";
import { END, mean, open, QUICK } from "./bench.ts";
import { type Script, ScriptedServer, say } from "./scripted.ts";

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});
const start = async (script: Script): Promise<ScriptedServer> => {
  server = await ScriptedServer.start(script);
  return server;
};
const many = (sink: ReturnType<typeof open>["sink"], points: number, from = 0): void => {
  for (let k = from; k < from + points; k++) sink.power?.(mean(k, k));
};
const isBad = (line: string): boolean => /power_w=\d*7,/.test(line);

test("a partial 400 is taken apart until only the bad points are left, which are kept, and no others", async () => {
  const { port, points } = await start(({ lines }, response) => {
    if (!lines.some(isBad)) return undefined;
    server!.keep(lines.filter((line) => !isBad(line)));
    return say(response, 400, { error: `partial write: field type conflict dropped=${lines.filter(isBad).length}` });
  });
  const { sink, outbox, faults } = open({ port });
  many(sink, 1000);
  expect(await sink.close(END)).toMatchObject({ sent: 900, refused: 100, waiting: 0 });
  expect(points.size).toBe(900);
  const rejected = readFileSync(join(outbox, "rejected.lp"), "utf8").split("\n").slice(0, -1);
  expect(rejected[0]).toBe("# 400 partial write: field type conflict");
  expect(rejected.slice(1).every(isBad)).toBe(true);
  expect(rejected).toHaveLength(101);
  expect(faults.every(({ code }) => code === "sink_refused")).toBe(true);
});

test("a body that is too large is halved, and from then on batches are small enough", async () => {
  const { port, points, writes } = await start(({ lines }, response) =>
    lines.length > 100 ? say(response, 413, { error: "Request Entity Too Large" }) : undefined,
  );
  const { sink } = open({ port });
  many(sink, 2000);
  expect(await sink.close(END)).toMatchObject({ sent: 2000, refused: 0, waiting: 0 });
  expect(points.size).toBe(2000);
  const refused = writes.filter(({ lines }) => lines.length > 100).length;
  expect(refused).toBeLessThan(40);
});

test.each([429, 503])("Retry-After of a %i is obeyed", async (status) => {
  const asked_ms: number[] = [];
  const { port, points } = await start((_, response, n) => {
    asked_ms.push(performance.now());
    return n === 1 ? say(response, status, { error: "slow down" }, { "Retry-After": "1" }) : undefined;
  });
  const { sink, notices } = open({ port });
  many(sink, 10);
  await expect.poll(() => points.size).toBe(10);
  expect(asked_ms[1]! - asked_ms[0]!).toBeGreaterThanOrEqual(990);
  expect(notices).toEqual([expect.stringContaining(`${status} slow down`)]);
  expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 0 });
});

test("one that wants to be left alone for longer than the end may take is left alone", async () => {
  const { port, writes } = await start((_, response) => say(response, 429, { error: "slow down" }, { "Retry-After": "60" }));
  const { sink, notices } = open({ port });
  many(sink, 10);
  await expect.poll(() => notices).toHaveLength(1);
  const began = performance.now();
  expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 10, reason: "429 slow down" });
  expect(performance.now() - began).toBeLessThan(1000);
  expect(writes).toHaveLength(1);
});

test("an answer that drips is no answer, and nothing is counted twice", async () => {
  const { port, points } = await start(({ lines }, response, n) => {
    if (n > 2) return undefined;
    server!.keep(lines);
    response.writeHead(200, { "Content-Length": "1000" });
    const drip = setInterval(() => response.write("x"), 20);
    response.once("close", () => clearInterval(drip));
    return true;
  });
  const { sink } = open({ port }, { ...QUICK, request_ms: 300 });
  many(sink, 10);
  await expect.poll(() => server!.writes.length).toBeGreaterThan(2);
  expect(await sink.close(END)).toMatchObject({ sent: 10, refused: 0, waiting: 0 });
  expect(points.size).toBe(10);
});

test("one that commits and then cuts the connection gets the points again, once each", async () => {
  const { port, points, writes } = await start(({ lines }, response, n) => {
    if (n > 3) return undefined;
    server!.keep(lines);
    response.destroy();
    return true;
  });
  const { sink } = open({ port });
  many(sink, 10);
  await expect.poll(() => writes.length).toBeGreaterThan(3);
  expect(await sink.close(END)).toMatchObject({ sent: 10, refused: 0, waiting: 0 });
  expect(points.size).toBe(10);
});

test("points older than the database keeps are counted, and not kept asking for", async () => {
  const { port, writes } = await start(({ lines }, response) => {
    const old = lines.filter((line) => /power_w=\d,/.test(line)).length;
    return old > 0 ? say(response, 400, { error: `partial write: points beyond retention policy dropped=${old}` }) : undefined;
  });
  const { sink } = open({ port });
  many(sink, 20);
  expect(await sink.close(END)).toMatchObject({ sent: 10, refused: 10, waiting: 0 });
  expect(writes).toHaveLength(1);
});

test("while old points are caught up on, new ones arrive between them; all of them do once", async () => {
  const script: Script = (_, response) => say(response, 500, { error: "starting" });
  const { port, points, writes } = await start(script);
  const { sink } = open({ port }, { ...QUICK, batch_points: 100 });
  many(sink, 3000);
  await expect.poll(() => writes.length).toBeGreaterThan(0);
  let next = 3000;
  server!.script = () => {
    many(sink, 1, next++);
    return undefined;
  };
  await expect.poll(() => points.size).toBeGreaterThan(3000);
  server!.script = () => undefined;
  expect(await sink.close(END)).toMatchObject({ sent: next, refused: 0, waiting: 0 });
  expect(points.size).toBe(next);
  // The first point that came during the catch-up was written long before the last of those that had waited.
  const at = (power_w: number) => writes.findIndex(({ lines }, n) => n > 1 && lines.some((line) => line.includes(`power_w=${power_w},`)));
  expect(at(3001)).toBeLessThan(at(2500));
});

test("a hundred thousand points wait on disk, not in memory", async () => {
  const { port } = await start((_, response) => say(response, 503, { error: "down" }));
  const { sink, outbox } = open({ port }, LIMITS);
  for (let k = 0; k < 20_000; k++) sink.power?.(mean(k));
  const before = heapBytes();
  for (let k = 20_000; k < 120_000; k++) sink.power?.(mean(k));
  expect(heapBytes() - before).toBeLessThan(8e6);
  expect(await sink.close({ within_ms: 0, fruitless_ms: 0 })).toMatchObject({ waiting: 120_000 });
  expect(readCursor(outbox)).toMatchObject({ appended: 120_000, whole: true });
});

test("an outbox whose files somebody took away is not waited for, and is not whole", async () => {
  const { port } = await start((_, response) => say(response, 503, { error: "down" }));
  const { sink, outbox, notices } = open({ port });
  many(sink, 10);
  await expect.poll(() => notices).toHaveLength(1);
  rmSync(join(outbox, "000000.lp"));
  expect(await sink.close(END)).toMatchObject({ refused: 10, waiting: 0, reason: expect.stringContaining("its files are gone") });
  expect(readCursor(outbox)).toMatchObject({ whole: false });
});
