import { expect, test } from "vitest";
import { type Frame, joinLines, type LocalLine } from "../../src/clock/frame.ts";
import { ratePpm, toSession } from "../../src/model/clock.ts";

const frame: Frame = { tick0: 1000, t0_s: 5, nominal_hz: 100 };
const line = (x: number, y: number, slope: number): LocalLine => ({ x, y, slope, u_s: 3e-4, bound_s: 1e-3 });

test("one line is one piece, of the rate its slope means", () => {
  const [piece, ...others] = joinLines(frame, [line(50, 0.1, -1e-4)]);
  expect(others).toEqual([]);
  expect(piece).toMatchObject({ fromTick: 1000, u_s: 3e-4, bound_s: 1e-3 });
  expect(piece!.t0_s).toBeCloseTo(5.105, 12);
  // Session time passes 1e-4 more slowly than the ticks: the clock is fast.
  expect(ratePpm(piece!, 100)).toBeCloseTo(100.01, 3);
});

test("pieces meet at the middles of their windows", () => {
  const pieces = joinLines(frame, [line(50, 0, 0), line(150, 0.01, 2e-4), line(250, 0.03, 2e-4)]);
  const map = { source: "meter", epoch: 0, pieces };
  expect([50, 150, 250].map((x) => toSession(map, 1000 + 100 * x))).toEqual([55, 155.01, 255.03]);
  expect(toSession(map, 1000)).toBe(5);
  expect(toSession(map, 1000 + 100 * 350)).toBeCloseTo(355.05, 12);
});

test("what two neighbours disagree about widens the claim of the piece between them, and of no other", () => {
  // Midway one says 0, the other 0.01 - 50 * 1e-4 = 0.005: half of that is open.
  const pieces = joinLines(frame, [line(50, 0, 0), line(150, 0.01, 1e-4)]);
  expect(pieces.map((p) => p.u_s)).toEqual([3e-4, Math.hypot(3e-4, 0.0025), 3e-4].map((u) => expect.closeTo(u, 12)));
  expect(pieces.map((p) => p.bound_s)).toEqual([1e-3, 3.5e-3, 1e-3].map((bound) => expect.closeTo(bound, 12)));
});
