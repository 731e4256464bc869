import { expect, test } from "vitest";
import { fitPings } from "../../src/clock/ping-map.ts";
import { reach } from "../../src/clock/reach.ts";
import { pieceAt, toSession } from "../../src/model/clock.ts";
import type { Ping } from "../../src/model/ping.ts";
import { seeded } from "../../src/simulate/random.ts";

test("between parallel limits it is the distance to the further one, and at an end more than in the middle", () => {
  const limits = (y: number) => [0, 10, 20].map((x) => ({ x, y }));
  const closest = { floors: limits(1e-3), ceilings: limits(2e-3) };
  // Highest at the end: through a ceiling at the other end or in the middle, and above no floor.
  expect(reach(closest, 10)).toBeCloseTo(2e-3, 9);
  expect(reach(closest, 0)).toBeCloseTo(2e-3, 9);
  const pinched = { floors: [...limits(1e-3), { x: 10, y: 0 }], ceilings: [...limits(2e-3), { x: 10, y: 0 }] };
  expect(reach(pinched, 10)).toBeCloseTo(0, 9);
  expect(reach(pinched, 5)).toBeCloseTo(0.5e-3, 9);
  // Beyond the last limit nothing stops the tilt but the limits on the other side.
  expect(reach(pinched, 30)).toBeCloseTo(2e-3, 9);
});

test("it is what a search over all lines finds", () => {
  const random = seeded(5);
  const cloud = () => Array.from({ length: 12 }, (_, k) => ({ x: 10 * k + random(), y: 1e-3 * (0.1 + random()) }));
  const closest = { floors: cloud(), ceilings: cloud() };
  for (const x of [-5, 0, 33, 60, 121]) {
    let furthest = 0;
    for (let tilt = -1e-4; tilt <= 1e-4; tilt += 1e-8) {
      const up = Math.min(...closest.ceilings.map((each) => each.y - tilt * (each.x - x)));
      const down = Math.min(...closest.floors.map((each) => each.y + tilt * (each.x - x)));
      if (up + down >= 0) furthest = Math.max(furthest, up, down);
    }
    expect(reach(closest, x)).toBeGreaterThanOrEqual(furthest - 1e-12);
    expect(reach(closest, x)).toBeLessThan(furthest * 1.001);
  }
});

test("limits that contradict the line leave no line to reach", () => {
  expect(reach({ floors: [{ x: 0, y: -1e-3 }], ceilings: [{ x: 0, y: 0 }] }, 0)).toBe(0);
});

test("a straight clock is within its bound where the first pings were slow on one way, as to a device that was busy", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const way_s = (): number => 0.1e-3 - 0.2e-3 * Math.log(random());
    const busy_s = 2e-3 * random();
    const ppm = 100 * (random() - 0.5);
    const device = (at_s: number): number => 5000 + at_s * (1 + ppm * 1e-6);
    const pings: Ping[] = [0, 10, 20, 30].flatMap((burst_s) =>
      Array.from({ length: burst_s === 0 ? 64 : 16 }, (_, k) => {
        const sent_s = burst_s + 0.015 * k;
        const arrived_s = sent_s + way_s() + (burst_s === 0 ? busy_s : 0);
        const stamp = device(arrived_s);
        return { source: "device", epoch: 0, sent_s, deviceReceived: stamp, deviceSent: stamp, received_s: arrived_s + way_s() };
      }),
    );
    const { map } = fitPings(pings, "device", 0);
    for (const at_s of [0.5, 5, 15, 30]) {
      const tick = device(at_s);
      expect(Math.abs(toSession(map!, tick) - at_s), `seed ${seed} at ${at_s} s`).toBeLessThanOrEqual(pieceAt(map!, tick).bound_s);
    }
  }
});
