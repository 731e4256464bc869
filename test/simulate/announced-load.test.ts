import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { announcedPlant } from "../../src/simulate/announced-load.ts";

const dir = mkdtempSync(join(tmpdir(), "joulebench-announced-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const ZERO_NS = 1_000_000_000_000n;
const load = { rest_w: 1.2, supply_v: 5, at_s: (instant_ns: bigint) => Number(instant_ns - ZERO_NS) / 1e9 };
const line = (from_s: number, to_s: number, power_w: number): string =>
  `${JSON.stringify({ from_ns: String(ZERO_NS + BigInt(from_s * 1e9)), to_ns: String(ZERO_NS + BigInt(to_s * 1e9)), power_w })}\n`;

test("what is announced is drawn, and the rest besides; later lines count as they come", () => {
  const path = join(dir, "loads");
  expect(announcedPlant(path, load)).toBeUndefined();
  writeFileSync(path, line(2, 3, 9));
  expect(announcedPlant(path, load)!.energy_j(0, 10)).toBeCloseTo(9 * 1 + 1.2 * 9, 12);
  appendFileSync(path, line(3, 5.5, 5) + line(8, 9, 4).slice(0, 20));
  const plant = announcedPlant(path, load)!;
  expect(plant.energy_j(0, 10)).toBeCloseTo(9 + 12.5 + 1.2 * 6.5, 12);
  expect([plant.power_w(8.5), plant.supply_v]).toEqual([1.2, 5]);
});

test("a line that is wrong is named", () => {
  const path = join(dir, "wrong");
  writeFileSync(path, `${line(2, 3, 9)}{"from_ns":12,"to_ns":"13","power_w":1}\n`);
  expect(() => announcedPlant(path, load)).toThrow(/line 2: expected/);
  writeFileSync(path, line(2, 3, 9) + line(1, 2, 9));
  expect(() => announcedPlant(path, load)).toThrow(RangeError);
});
