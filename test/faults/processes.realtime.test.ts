import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { killed, owned, starved, terminated } from "./cases.ts";

/* The short form of what `main.ts` does with all its moments, file systems and limits. */

const dir = mkdtempSync(join(tmpdir(), "faults-processes-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("killed at five moments: at most 100 ms lost, and everything acknowledged is there", async () => {
  const { wrongs, detail } = await killed(dir, 5, (k) => k / 5);
  expect(wrongs).toEqual([]);
  expect(detail).toContain("5 kills");
});

test("stopped for two seconds: nothing lost, nothing left open", async () => {
  expect((await starved(dir)).wrongs).toEqual([]);
});

test.each([1, 2] as const)("%d SIGTERM while it writes: everything heard is there", async (signals) => {
  expect((await terminated(dir, signals)).wrongs).toEqual([]);
});

test("one folder has one owner", async () => {
  const { wrongs, detail } = await owned(dir);
  expect(wrongs).toEqual([]);
  expect(detail).toContain("is being written by process");
});
