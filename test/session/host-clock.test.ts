import { expect, test } from "vitest";
import type { SecondsSeen } from "../../src/model/health.ts";
import { HostClock } from "../../src/session/host-clock.ts";

/** What is said of a database whose clock is `behind_s` behind ours, after so many looks. */
async function told(behind_s: number, looks: number): Promise<{ said: string[]; clock: HostClock }> {
  const ended = new AbortController();
  const said: string[] = [];
  let left = looks;
  const look = async (): Promise<SecondsSeen> => {
    if (--left < 0) ended.abort();
    const now_s = Date.now() / 1000;
    return { sent_s: now_s, received_s: now_s + 0.001, shown_s: Math.floor(now_s - behind_s) };
  };
  const clock = new HostClock({ clock: look }, (message) => said.push(message));
  await clock.watch(ended.signal);
  return { said, clock };
}

test("a host an hour ahead of its database is told so, once", async () => {
  const { said, clock } = await told(3600, 2);
  expect(said).toEqual([expect.stringMatching(/is (3599\.\d|3600\.\d) s ahead of the database's \(± 0\.\d\d s\): .*; set both by NTP$/)]);
  expect(Math.abs(clock.offset!.offset_s - 3600)).toBeLessThanOrEqual(clock.offset!.bound_s);
});

test("a database whose clock contradicts itself is not asked once a second", async () => {
  const ended = new AbortController();
  const said: string[] = [];
  let looks = 0;
  const look = async (): Promise<SecondsSeen> => {
    const now_s = Date.now() / 1000;
    return { sent_s: now_s, received_s: now_s + 0.001, shown_s: Math.floor(now_s) + (looks++ % 2) * 100 };
  };
  const watching = new HostClock({ clock: look }, (message) => said.push(message)).watch(ended.signal);
  await expect.poll(() => said.length).toBeGreaterThan(0);
  const before = looks;
  await new Promise((resolve) => setTimeout(resolve, 1500)); // Longer than it takes to ask when the second turns.
  ended.abort();
  await watching;
  expect([before, looks]).toEqual([2, 2]);
});

test("nothing is told of a host whose clock may be right", async () => {
  expect((await told(0, 2)).said).toEqual([]);
});

test("a database that does not answer says nothing about clocks", async () => {
  const ended = new AbortController();
  const said: string[] = [];
  const clock = new HostClock({ clock: async () => undefined }, (message) => said.push(message));
  const watching = clock.watch(ended.signal);
  ended.abort();
  await watching;
  expect([said, clock.offset]).toEqual([[], undefined]);
});
