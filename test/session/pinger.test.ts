import { expect, test } from "vitest";
import { Pinger } from "../../src/session/pinger.ts";

/** Pings sent in one burst over a link whose round trip is `trip_ms`; time is data. */
async function sent(trip_ms: number, count: number, most_ms?: number): Promise<number> {
  let [now_ns, id] = [0, 0];
  const pinger = new Pinger(
    async () => {
      now_ns += trip_ms * 1e6;
      queueMicrotask(() => pinger.answered(id++));
    },
    () => now_ns,
  );
  await pinger.burst(count, most_ms);
  return id;
}

test("a burst over a quick link is whole, and over a slow one as long as it may be", async () => {
  expect(await sent(1, 256, 5000)).toBe(256);
  expect(await sent(100, 256, 5000)).toBe(50);
  expect(await sent(100, 256)).toBe(256);
});
