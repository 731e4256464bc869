import { existsSync, mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { seeded } from "../../src/simulate/random.ts";
import { binAt, LEVELS, levelPath, widthOf } from "../../src/store/pyramid-level.ts";
import { PyramidReader } from "../../src/store/pyramid-reader.ts";
import { PyramidWriter } from "../../src/store/pyramid-writer.ts";

let dir: string;
let base: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "pyramid-test-"));
  base = join(dir, "main.power_w");
});
afterEach(() => rmSync(dir, { recursive: true }));

/** An hour at 100 Hz from 7 s on, with a gap from 1000 s to 1290 s. */
const SAMPLES = (() => {
  const random = seeded(3);
  const at_s = Float64Array.from({ length: 330_000 }, (_, k) => 7.005 + k / 100 + (k >= 99_300 ? 290 : 0));
  return { at_s, values: at_s.map((at) => Math.fround(4 + Math.sin(at / 50) + random())) };
})();

function feed(writer: PyramidWriter, from: number, to: number): void {
  for (let k = from; k < to; k += 997)
    writer.add(SAMPLES.at_s.subarray(k, Math.min(to, k + 997)), SAMPLES.values.subarray(k, Math.min(to, k + 997)));
}

function write(): void {
  const writer = new PyramidWriter(base);
  feed(writer, 0, SAMPLES.at_s.length);
  writer.close();
}

/** The definition: every sample looked at. */
function truth(from_s: number, to_s: number): { min: number; mean: number; max: number; n: number } {
  const within = SAMPLES.values.filter((_, k) => SAMPLES.at_s[k]! >= from_s && SAMPLES.at_s[k]! < to_s);
  if (within.length === 0) return { min: Number.NaN, mean: Number.NaN, max: Number.NaN, n: 0 };
  const sum = within.reduce((total, each) => total + each, 0);
  return { min: Math.min(...within), mean: sum / within.length, max: Math.max(...within), n: within.length };
}

function expectTruth(span: readonly [number, number], pixels: number): number {
  const reader = new PyramidReader(base);
  const { t_s, min, mean, max, n, width_s } = reader.zoom(...span, pixels);
  reader.close();
  for (let k = 0; k < t_s.length; k += Math.max(1, Math.floor(t_s.length / 40))) {
    const known = truth(t_s[k]! - 1e-9, t_s[k]! + width_s - 1e-9);
    expect({ t: t_s[k], n: n[k] }).toEqual({ t: t_s[k], n: known.n });
    expect([min[k], max[k]]).toEqual([known.min, known.max]);
    if (known.n > 0) expect(Math.abs(mean[k]! - known.mean)).toBeLessThan(1e-6);
  }
  return t_s.length;
}

test.each([
  [[0, 3600], 100],
  [[0, 3600], 1000],
  [[900, 1400], 500],
  [[2000, 2010], 200],
  [[3590, 4000], 90],
] as const)("a view of %s s in %i columns is that of all samples, gaps included", (span, pixels) => {
  write();
  const columns = expectTruth(span, pixels);
  expect(columns).toBeLessThanOrEqual(pixels + 2);
  expect(columns).toBeGreaterThanOrEqual(pixels / 2);
});

test("a gap is a gap at every level that resolves it", () => {
  write();
  const reader = new PyramidReader(base);
  const { n, min } = reader.zoom(1010, 1280, 27);
  reader.close();
  expect([...n].every((each) => each === 0)).toBe(true);
  expect([...min].every(Number.isNaN)).toBe(true);
});

test("while it grows, a view has all that is complete", () => {
  const writer = new PyramidWriter(base);
  feed(writer, 0, 50_000);
  writer.flush();
  const reader = new PyramidReader(base);
  const { n } = reader.zoom(0, 600, 50);
  // The bin at hand is not there yet; of all levels it is the only one.
  expect(n.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(50_000 - 11);
  reader.close();
  writer.close();
});

test("cut off anywhere, it goes on and ends as if nothing had happened", () => {
  write();
  const whole = Array.from({ length: LEVELS }, (_, level) => statSync(levelPath(base, level), { throwIfNoEntry: false })?.size);
  const random = seeded(9);
  for (let round = 0; round < 12; round++) {
    for (let level = 0; level < LEVELS; level++) rmSync(levelPath(base, level), { force: true });
    const writer = new PyramidWriter(base);
    feed(writer, 0, 200_000);
    writer.flush();
    for (let level = 0; level < LEVELS; level++) {
      const path = levelPath(base, level);
      if (existsSync(path)) truncateSync(path, Math.floor(statSync(path).size * (0.3 + 0.7 * random())));
    }
    const reader = new PyramidReader(base);
    const [, end_s] = reader.span_s!;
    reader.close();
    const resumed = new PyramidWriter(base);
    feed(resumed, 0, SAMPLES.at_s.length);
    resumed.close();
    expect(end_s).toBeGreaterThan(100);
    expect(Array.from({ length: LEVELS }, (_, level) => statSync(levelPath(base, level), { throwIfNoEntry: false })?.size)).toEqual(whole);
    expectTruth([0, 3600], 300);
  }
});

test("upper levels that lag or are gone are made up from the ones below", () => {
  write();
  for (let level = 2; level < LEVELS; level++) rmSync(levelPath(base, level), { force: true });
  truncateSync(levelPath(base, 1), 5000);
  expectTruth([0, 3600], 40);
});

test("what is no number is no sample", () => {
  const writer = new PyramidWriter(base);
  writer.add(Float64Array.of(0.01, 0.02, 0.03, 0.25), Float64Array.of(1, Number.NaN, 3, 5));
  writer.close();
  const reader = new PyramidReader(base);
  const bins = reader.read(0, 0, 3);
  expect([0, 1, 2].map((k) => binAt(bins, k))).toEqual([
    { min: 1, mean: 2, max: 3, n: 2 },
    { min: 0, mean: 0, max: 0, n: 0 },
    { min: 5, mean: 5, max: 5, n: 1 },
  ]);
  expect(widthOf(1)).toBeCloseTo(0.4);
  reader.close();
});
