import { mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CounterReadings, readCounter } from "../../src/metrics/counter.ts";
import type { Block } from "../../src/model/block.ts";
import type { Measurand } from "../../src/model/recording.ts";
import { seeded } from "../../src/simulate/random.ts";
import { EnergyReader } from "../../src/store/energy-reader.ts";
import { EnergyWriter, recordsPath } from "../../src/store/energy-writer.ts";
import { Batcher } from "../../src/store/trace-batch.ts";
import { blocksOf, MAP, type Shape } from "./trace-blocks.ts";

let dir: string;
let base: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "energy-test-"));
  base = join(dir, "main");
});
afterEach(() => rmSync(dir, { recursive: true }));

const accuracy = { gain: 0, currentOffset_a: 0, voltageOffset_v: 0, currentResolution_a: 0, voltageResolution_v: 0, sampling_s: 0 };
const measurand: Measurand = { source: "meter", channel: "main", accuracy };

function feed(writer: EnergyWriter, blocks: readonly Block[], longestStep?: number): void {
  const batcher = new Batcher("meter", longestStep);
  const batches = [...blocks.flatMap((each) => batcher.add(each, MAP)), ...batcher.rest()];
  for (const { times_s, lengths_s, columns, sampler } of batches) {
    const power_w = columns["main.current_a"]!.map((each, k) => each * columns["main.voltage_v"]![k]!);
    writer.add(times_s, lengths_s, power_w, sampler === "point");
  }
}

function counted(blocks: readonly Block[], at: Float64Array, longestStep?: number): CounterReadings {
  const of = longestStep === undefined ? measurand : { ...measurand, longestStep };
  return readCounter(() => blocks, { measurand: of, maps: [MAP] }, at, { of: new Uint8Array(at.length), count: 1 });
}

/** Instants before, in and after the trace, with many close to each other. */
function instants(end_s: number): Float64Array {
  const random = seeded(5);
  const anywhere = Array.from({ length: 500 }, () => random() * (end_s + 4));
  const close = Array.from({ length: 500 }, (_, k) => 4 + k * 0.0013);
  return Float64Array.from([...anywhere, ...close, end_s, end_s + 100]).sort();
}

// Half a step of 1/65 536 of the 4 W that power varies by, over the 232 samples of a record.
const ROUNDING_J = 0.5 * (4 / 65_535) * (232 / 5000);

describe("energy and coverage between any two instants are the metrics'", () => {
  test.each<[string, Shape, number | undefined]>([
    ["means", { sampler: "integrating", count: 400, length: 250 }, undefined],
    ["means with gaps", { sampler: "integrating", count: 400, length: 250, lost: { 7: 1, 100: 9999, 101: 40 } }, undefined],
    ["means over a part of the interval", { sampler: "averaged", count: 3000, length: 15, lost: { 99: 3 } }, undefined],
    ["means of uneven length", { sampler: "integrating", count: 200, length: 33, uneven: true, lost: { 20: 700 } }, undefined],
    ["instants", { sampler: "point", count: 200, length: 100, lost: { 20: 700 } }, undefined],
    ["uneven instants with a longest step", { sampler: "point", count: 200, length: 33, uneven: true }, 1.2],
  ])("%s", (_, shape, longestStep) => {
    const blocks = blocksOf(shape);
    const writer = new EnergyWriter(base);
    feed(writer, blocks, longestStep);
    writer.close();
    const at = instants(counted(blocks, Float64Array.of(0), longestStep).end_s);
    const truth = counted(blocks, at, longestStep);
    const reader = new EnergyReader(base);
    const found = reader.at(at);
    for (let i = 0; i < at.length; i++) {
      expect(Math.abs(found.energy_j[i]! - truth.energy_j[i]! - truth.energyLow_j[i]!)).toBeLessThan(ROUNDING_J);
      expect(Math.abs(found.covered_s[i]! - truth.covered_s[i]!)).toBeLessThan(1e-9);
    }
    const last = at.length - 1;
    expect(Math.abs(found.energy_j[last]! / (truth.energy_j[last]! + truth.energyLow_j[last]!) - 1)).toBeLessThan(1e-12);
    expect(reader.window(at[3]!, at[70]!).energy_j).toBeCloseTo(truth.energy_j[70]! - truth.energy_j[3]!, 4);
    reader.close();
  });
});

test("a file under way, or torn, answers as far as it reaches", () => {
  const blocks = blocksOf({ sampler: "integrating", count: 100, length: 250 });
  const writer = new EnergyWriter(base);
  feed(writer, blocks);
  writer.flush();
  const whole = Math.floor(statSync(recordsPath(base)).size / 512);
  truncateSync(recordsPath(base), whole * 512 - 100);
  const reader = new EnergyReader(base);
  expect(reader.records).toBe(whole - 1);
  const at = Float64Array.of(3.5, 4.1, 6.2);
  const truth = counted(blocks, at);
  expect([...reader.at(at).energy_j]).toEqual([...truth.energy_j].map((each) => expect.closeTo(each, 5)));
  reader.close();
  writer.close();
});

test("a power that is missing is a gap and no zero", () => {
  const writer = new EnergyWriter(base);
  writer.add(Float64Array.of(1, 2, 3, 4), Float64Array.of(1, 1, 1, 1), Float64Array.of(2, Number.NaN, 2, 2), false);
  writer.close();
  const reader = new EnergyReader(base);
  expect(reader.window(0, 4)).toEqual({ energy_j: 6, covered_s: 3 });
  expect(reader.window(1.2, 1.8)).toEqual({ energy_j: 0, covered_s: 0 });
  reader.close();
});

test("a channel without energies is named as such", () => {
  expect(() => new EnergyReader(base)).toThrowError(
    expect.objectContaining({ kind: "config", message: expect.stringContaining("has no energies") }),
  );
});
