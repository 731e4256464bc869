import { expect, test } from "vitest";
import { alignTriggers, type LineEdge } from "../../src/clock/triggers.ts";
import { normal, seeded } from "../../src/simulate/random.ts";

const random = seeded(4);
/** A line that changes at uneven times. */
const LINE: readonly LineEdge[] = Array.from({ length: 40 }, (_, k) => ({
  at_s: 10 + k * 0.31 + 0.1 * random(),
  level: k % 2 === 0 ? 1 : 0,
}));
const late = (by_s: number, sd_s = 0): LineEdge[] => LINE.map(({ at_s, level }) => ({ at_s: at_s + by_s + sd_s * normal(random), level }));

test.each([0, 2.5e-3, 0.5, -1.9])("%f s late: the mean, the scatter and the number of pairs", (by_s) => {
  const result = alignTriggers(LINE, late(by_s, 50e-6));
  expect(result).toMatchObject({ kind: "trigger", found: true, count: LINE.length });
  expect(Math.abs(result.offset_s! - by_s)).toBeLessThan(4 * result.u_s!);
  expect(result.sd_s).toBeGreaterThan(30e-6);
  expect(result.sd_s).toBeLessThan(70e-6);
  expect(result.u_s).toBeCloseTo(result.sd_s! / Math.sqrt(LINE.length), 12);
});

test("edges that were missed, and edges of something else, leave the rest", () => {
  const seen = [...late(1e-3).filter((_, k) => k % 4 !== 0), { at_s: 13.3333, level: 1 as const }].sort((a, b) => a.at_s - b.at_s);
  const result = alignTriggers(LINE, seen);
  expect(result).toMatchObject({ found: true, count: 30 });
  expect(result.offset_s).toBeCloseTo(1e-3, 9);
});

test("of an even line, which fits at many offsets, the smallest is taken", () => {
  const even = LINE.map(({ level }, k) => ({ at_s: 10 + 0.2 * k, level }));
  const result = alignTriggers(even, even.map(({ at_s, level }) => ({ at_s: at_s + 4e-4, level })).slice(0, -2));
  expect(result.offset_s).toBeCloseTo(4e-4, 9);
});

test.each([
  ["no edge was seen", LINE, []],
  ["only levels of the wrong sense", LINE, LINE.map(({ at_s, level }): LineEdge => ({ at_s: at_s + 3, level: level === 1 ? 0 : 1 }))],
  ["too few were stated", LINE.slice(0, 2), LINE.slice(0, 2)],
  ["most were missed", LINE, LINE.filter((_, k) => k % 3 === 0)],
  ["nothing was stated", [], LINE],
])("%s: not found, and said why", (_, stated, seen) => {
  const result = alignTriggers(stated, seen);
  expect(result).toMatchObject({ found: false, offset_s: null, sd_s: null });
  expect(result.reason).toMatch(/of \d+ stated edges were seen/);
});
