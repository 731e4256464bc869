import { expect, test } from "vitest";
import { isCausal, midpoint_s, roundTrip_s, shortestPerBurst, withoutFalsePings } from "../../src/clock/ping-filter.ts";
import { splitAtSteps } from "../../src/clock/steps.ts";
import type { Ping } from "../../src/model/ping.ts";

/** A ping of a clock 7 s ahead that ticks right; `wrong_s` is added to the device's stamps. */
const ping = (sent_s: number, trip_s = 0.2e-3, wrong_s = 0): Ping => {
  const device = sent_s + trip_s / 2 + 7 + wrong_s;
  return { source: "device", epoch: 0, sent_s, received_s: sent_s + trip_s, deviceReceived: device, deviceSent: device };
};

test("round trip and midpoint leave out the time the device took to answer", () => {
  const slow: Ping = { source: "device", epoch: 0, sent_s: 1, received_s: 1.5, deviceReceived: 8.1, deviceSent: 8.4 };
  expect(roundTrip_s(slow)).toBeCloseTo(0.2, 12);
  expect(midpoint_s(slow)).toBeCloseTo(-7, 12);
});

test.each([
  ["answered before it was asked", { deviceSent: 6 }],
  ["under way for less than no time", { deviceSent: 9 }],
  ["received before it was sent", { received_s: -1 }],
  ["not a number", { deviceReceived: Number.NaN }],
])("a ping %s cannot be true", (_, wrong) => {
  expect(isCausal(ping(0))).toBe(true);
  expect(isCausal({ ...ping(0), ...wrong })).toBe(false);
});

test("of every burst the shortest stays; a burst is at most 16 pings, a second apart at most", () => {
  const pings = [
    ping(0, 3e-3),
    ping(0.1, 1e-3),
    ping(0.2, 2e-3),
    ping(5),
    ...Array.from({ length: 20 }, (_, k) => ping(10 + k / 100, 1e-3 / (k + 1))),
  ];
  expect(shortestPerBurst(pings).map((p) => p.sent_s)).toEqual([0.1, 5, 10.15, 10.19]);
});

test("a stamp wrong by 1 ms is dropped in either direction, a late answer is not", () => {
  const pings = Array.from({ length: 40 }, (_, k) => ping(k * 2));
  const given = pings
    .with(11, ping(22, 0.2e-3, 1e-3))
    .with(30, ping(60, 0.2e-3, -1e-3))
    .with(20, ping(40, 50e-3));
  const kept = withoutFalsePings(given, 500e-6).map((p) => p.sent_s / 2);
  expect(given.map((p) => p.sent_s / 2).filter((k) => !kept.includes(k))).toEqual([11, 30]);
  expect(withoutFalsePings([], 500e-6)).toEqual([]);
});

test("a burst a little wrong, which agrees with a slow one before it, makes no step of the next", () => {
  const pings = [ping(0), ping(1.5), ping(3, 3e-3), ping(4.5, 0.2e-3, 1.9e-3), ping(6), ping(7.5), ping(9)];
  expect(splitAtSteps(pings).steps).toEqual([]);
});
