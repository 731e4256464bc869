import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CALLS } from "./faulty-disk.ts";
import { sweepCalls, sweepSizes } from "./injection.ts";

// In memory where that is possible: what a disk does here is made up.
const dir = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "faults-injection-"));
afterAll(() => rmSync(dir, { recursive: true }));

describe("acknowledged is there, there was issued, and what is missing or suspect is said", () => {
  const cases = CALLS.flatMap((call) =>
    ["EIO", "ENOSPC"].flatMap((code) => [1, 4, Number.POSITIVE_INFINITY].map((times) => ({ call, code, times }))),
  );

  test.each(cases)("$code at every $call, $times times", async (injection) => {
    const { runs, wrongs } = await sweepCalls(dir, injection);
    expect(runs).toBeGreaterThan(1);
    expect(wrongs).toEqual([]);
  });

  test("space that ends at any byte, and comes back or not", async () => {
    const { runs, wrongs } = await sweepSizes(join(dir, "full"), 397);
    expect(runs).toBeGreaterThan(50);
    expect(wrongs).toEqual([]);
  });
});
