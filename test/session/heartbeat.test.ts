import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEAD_MS, Heartbeat } from "../../src/session/heartbeat.ts";
import { Pinger } from "../../src/session/pinger.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

test("a link that is silent is asked, and is dead within 3 s, once", () => {
  const asked: string[] = [];
  const dead: number[] = [];
  const heartbeat = new Heartbeat(
    async (line) => void asked.push(line),
    () => dead.push(performance.now()),
  );
  const from_ms = performance.now();
  vi.advanceTimersByTime(1000);
  heartbeat.heard();
  vi.advanceTimersByTime(10_000);
  expect(asked.length).toBeGreaterThanOrEqual(3);
  expect(dead).toHaveLength(1);
  expect(dead[0]! - from_ms - 1000).toBeGreaterThanOrEqual(DEAD_MS);
  expect(dead[0]! - from_ms - 1000).toBeLessThanOrEqual(3000);
  expect(heartbeat.isStopped).toBe(true);
});

test("a look that comes late, because we stood still, condemns nobody who has answered meanwhile", () => {
  let isDead = false;
  const heartbeat = new Heartbeat(
    async () => {},
    () => {
      isDead = true;
    },
  );
  // Four seconds in which nothing of this process ran: the answers lie unread.
  vi.setSystemTime(Date.now() + 4000);
  const before = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => before + 4000);
  vi.advanceTimersByTime(250);
  expect(isDead).toBe(false);
  heartbeat.heard();
  vi.advanceTimersByTime(250);
  expect(isDead).toBe(false);
  heartbeat.stop();
  vi.restoreAllMocks();
});

test("one burst waits at most, however often it is asked for", async () => {
  vi.useRealTimers();
  let sent = 0;
  const pinger: Pinger = new Pinger(
    async () => {
      const id = sent++;
      setImmediate(() => pinger.answered(id));
    },
    () => 0,
  );
  const first = pinger.burst(16);
  await vi.waitUntil(() => sent > 0);
  await Promise.all([first, ...Array.from({ length: 100 }, () => pinger.burst(16))]);
  expect(sent).toBe(16 + 16);
  // A longer one is not had from a shorter one.
  await Promise.all([pinger.burst(16), pinger.burst(64)]);
  expect(sent).toBe(32 + 16 + 64);
});
