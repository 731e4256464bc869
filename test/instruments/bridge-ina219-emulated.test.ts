import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bridgeIna219 } from "../../src/instruments/bridge-ina219.ts";
import { type Block, endTick, tickAt } from "../../src/model/block.ts";
import type { JoulebenchError } from "../../src/model/errors.ts";
import { AvrBridge, type AvrBridgeOptions } from "../../src/simulate/avr-host.ts";
import type { Plant } from "../../src/simulate/plant.ts";
import { listen } from "./bridge-ina219-bench.ts";

const hex = readFileSync(new URL("../../firmware-bridge/bridge-ina219-uno.hex", import.meta.url), "utf8");

const steady = (power_w: number): Plant => ({ supply_v: 5, power_w: () => power_w, energy_j: (from, to) => power_w * (to - from) });

/** 6 W in the first half of every period, 1 W in the second. */
function square(period_s: number): Plant {
  const energy = (t: number) => t + 5 * (Math.floor(t / period_s) * (period_s / 2) + Math.min(t % period_s, period_s / 2));
  return { supply_v: 5, power_w: (t) => (t % period_s < period_s / 2 ? 6 : 1), energy_j: (from, to) => energy(to) - energy(from) };
}

/** The real driver at the emulated firmware, in emulated time. */
function bench(plant: Plant, rig: Record<string, unknown> = {}, board: Partial<AvrBridgeOptions> = {}, openAt_s = 0) {
  const blocks: Block[] = [];
  const { context, heard } = listen((bytes) => bridge.receive(bytes));
  const options = bridgeIna219.options.parse({ shunt_ohm: 0.1, ...rig });
  const driver = bridgeIna219.open(options, context);
  const feed = (bytes: Uint8Array) => {
    if (bridge.now_s >= openAt_s) blocks.push(...driver.push({ bytes, host_ns: Math.round(bridge.now_s * 1e9) }));
  };
  const bridge: AvrBridge = new AvrBridge({
    hex,
    plant: () => plant,
    sensor: { shunt_ohm: 0.1 },
    ...board,
    onBytes: (bytes) => feed(bytes.slice()),
  });
  const run = (until_s: number) => {
    for (let t = bridge.now_s; t < until_s; t += 0.02) {
      bridge.runUntil(Math.min(t + 0.02, until_s));
      feed(new Uint8Array(0));
    }
  };
  const finish = () => {
    bridge.receive(driver.stop!());
    run(bridge.now_s + 0.1);
  };
  return { bridge, driver, blocks, heard, options, run, finish };
}

const column = (blocks: readonly Block[], key: "main.current_a" | "main.voltage_v") => blocks.flatMap((block) => [...block.columns[key]!]);

test("at 1 kHz and 11 + 11 bit nothing is lost, nothing is stale, values are within a count", () => {
  const { driver, blocks, heard, run, finish } = bench(steady(4.321));
  run(3);
  expect(driver.ready).toBe(true);
  finish();
  expect(driver.stopped).toBe(true);
  expect(heard.faults).toEqual({});
  expect(heard.identity).toMatchObject({ firmware: "1.0.0", protocol: 1, rate_hz: 1000, period_us: 1000, shunt_ohm: 0.1, bits: 11 });
  const current_a = column(blocks, "main.current_a");
  expect(current_a.length).toBeGreaterThan(2900);
  expect(Math.max(...current_a.map((value) => Math.abs(value - 4.321 / 5)))).toBeLessThanOrEqual(1e-4 + 1e-12);
  expect(Math.max(...column(blocks, "main.voltage_v").map((value) => Math.abs(value - 5)))).toBeLessThanOrEqual(4e-3);
  for (const [k, block] of blocks.entries()) {
    expect(block.length).toBeLessThanOrEqual(20);
    if (k > 0) expect(block.startTick).toBe(endTick(blocks[k - 1]!));
  }
});

test.each([
  { rate_hz: 1000, bits: 11, slow: 0.1 },
  { rate_hz: 1500, bits: 9, slow: 0 },
  { rate_hz: 150, bits: 12, slow: -0.1 },
])("no tick is late enough to lose or repeat a conversion: %o", ({ rate_hz, bits, slow }) => {
  const { blocks, heard, run, finish } = bench(steady(1), { rate_hz, bits }, { sensor: { shunt_ohm: 0.1, conversionTimeError: slow } });
  run(3.6); // three status frames, among them the one that meets a sample frame at 1 kHz
  finish();
  expect(heard.faults).toEqual({});
  expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(3.4 * rate_hz);
});

test("current runs backwards too", () => {
  const { blocks, run, heard } = bench(steady(-2.5));
  run(0.3);
  expect(column(blocks, "main.current_a").every((value) => Math.abs(value + 0.5) <= 1e-4)).toBe(true);
  expect(heard.faults).toEqual({});
});

test("a bin's end lies where the conversions say: power steps are found in true time", () => {
  const skew_ppm = 3000;
  const halfPeriod_s = 0.02521;
  const { bridge, blocks, heard, run } = bench(square(2 * halfPeriod_s), {}, { clockSkew_ppm: skew_ppm });
  run(0.3);
  bridge.setPin(false);
  const marked_s = bridge.now_s;
  run(2);
  const toTick = (t: number) => heard.edges[0]!.tick + (t - marked_s) * 1e6 * (1 + skew_ppm * 1e-6);
  const errors_us: number[] = [];
  for (let k = 14; k * halfPeriod_s < 1.9; k++) {
    const expected = toTick(k * halfPeriod_s);
    const high_us = charge(blocks, expected - 10_000, expected + 10_000) - 0.2 * 20_000;
    const rises = k % 2 === 0;
    errors_us.push(rises ? 10_000 - high_us : high_us - 10_000);
  }
  const mean = errors_us.reduce((sum, value) => sum + value, 0) / errors_us.length;
  const { sampling_s } = bridgeIna219.accuracy(bridgeIna219.options.parse({ shunt_ohm: 0.1 }), "main");
  const unseen_us = 1000 - 276;
  const sigma_us = Math.hypot(sampling_s * 1e6, unseen_us / Math.sqrt(12));
  expect(errors_us.length).toBeGreaterThan(50);
  expect(Math.abs(mean)).toBeLessThan((3 * sigma_us) / Math.sqrt(errors_us.length));
  for (const error of errors_us) expect(Math.abs(error)).toBeLessThan(sampling_s * 1e6 * Math.sqrt(3) + unseen_us / 2);
});

/** Current integrated over ticks [from, to), ampere microseconds. */
function charge(blocks: readonly Block[], from: number, to: number): number {
  let sum = 0;
  for (const block of blocks)
    for (const [k, amps] of block.columns["main.current_a"]!.entries()) {
      const end = tickAt(block, k);
      sum += amps * Math.max(0, Math.min(to, end) - Math.max(from, end - 1000));
    }
  return sum;
}

test("the first frame arrives as late after its last bin as clock() says", () => {
  const { bridge, blocks, options, heard, run } = bench(steady(1), { usb_latency_s: 0 });
  run(0.2);
  bridge.setPin(false);
  const marked_s = bridge.now_s;
  run(0.3);
  const before = blocks.length;
  while (blocks.length === before) bridge.runUntil(bridge.now_s + 20e-6);
  const end_s = marked_s + (endTick(blocks.at(-1)!) - heard.edges[0]!.tick) * 1e-6;
  const { latency_s, u_latency_s } = bridgeIna219.clock(options);
  expect(Math.abs(bridge.now_s - end_s - latency_s)).toBeLessThan(2 * u_latency_s);
});

test("a line in closed form is on the trigger input when it says, however coarsely the bridge is stepped", () => {
  const instants_s = [0.2, 0.200_4, 0.313_37, 0.5];
  const line = instants_s.map((at_s, k) => ({ at_s, level: (k % 2) as 0 | 1 }));
  const { heard, run } = bench(steady(1), {}, { line: () => line });
  run(0.21);
  run(0.6);
  expect(heard.edges.map(({ level }) => level)).toEqual([0, 1, 0, 1]);
  const ticks = heard.edges.map(({ tick }) => tick);
  for (const [k, at_s] of instants_s.entries()) expect(Math.abs(ticks[k]! - ticks[0]! - 1e6 * (at_s - instants_s[0]!))).toBeLessThan(10);
});

test("the trigger input is stamped to microseconds", () => {
  const { bridge, heard, run } = bench(steady(1));
  run(0.2);
  for (const [k, level] of [false, true, false].entries()) {
    bridge.setPin(level);
    run(0.2123 + 0.0101 * k);
  }
  expect(heard.edges.map(({ input, level }) => [input, level])).toEqual([
    ["int0", 0],
    ["int0", 1],
    ["int0", 0],
  ]);
  const [first, second, third] = heard.edges.map(({ tick }) => tick);
  expect(Math.abs(second! - first! - 12300)).toBeLessThan(10);
  expect(Math.abs(third! - second! - 10100)).toBeLessThan(10);
});

test("a sensor that does not answer is an I2C error at every tick, not a hang", () => {
  let state: "answering" | "absent" | "stuck" = "answering";
  const { driver, blocks, heard, run, finish } = bench(steady(1), {}, { bus: () => state });
  run(0.5);
  state = "absent";
  run(1.5);
  state = "answering";
  run(2);
  finish();
  expect(driver.stopped).toBe(true);
  expect(heard.faults.i2c_error).toBeGreaterThan(990);
  expect(heard.faults.i2c_error).toBeLessThan(1010);
  expect(heard.faults.lost_samples).toBe(heard.faults.i2c_error);
  expect(blocks.reduce((sum, { lostBefore }) => sum + lostBefore, 0)).toBe(heard.faults.lost_samples);
});

test("a bus held low keeps the console answering", () => {
  const { driver, blocks, heard, run, finish } = bench(steady(1), {}, { bus: () => "stuck" });
  run(2);
  expect(driver.ready).toBe(true);
  finish();
  expect(driver.stopped).toBe(true);
  expect(blocks).toEqual([]);
  expect(heard.faults.i2c_error).toBeGreaterThan(1500);
  expect(heard.faults.lost_samples).toBeGreaterThan(1900);
});

test("a reset while streaming is a link failure that says so", () => {
  const { bridge, run } = bench(steady(1));
  run(0.5);
  bridge.reset();
  expect(() => run(0.7)).toThrow(/meter: the bridge restarted/);
  try {
    run(0.8);
  } catch (error) {
    expect((error as JoulebenchError).kind).toBe("link");
  }
});

test("a bridge that an earlier program left streaming is stopped first", () => {
  const { bridge, driver, blocks, heard, run } = bench(steady(1), {}, {}, 0.2);
  bridge.runUntil(0.05);
  bridge.receive(Buffer.from("start\n"));
  run(0.6);
  expect(driver.ready).toBe(true);
  expect(heard.written).toMatch(/^\nstop\nid\nconfig .*\nstart\n$/);
  expect(heard.faults).toEqual({});
  expect(blocks[0]).toMatchObject({ lostBefore: 0 });
});

test("the sensor's saturation and its overflow bit are counted", () => {
  const { blocks, heard, run } = bench(steady(10), { shunt_range_v: 0.16 });
  run(0.3);
  expect(heard.faults.over_range).toBe(column(blocks, "main.current_a").length);
});

test("a sensor that loses its configuration is reported, not believed", () => {
  const { bridge, run } = bench(steady(1));
  run(0.5);
  bridge.sensor.write(0, 0x8000, bridge.now_s);
  expect(() => run(2)).toThrow(/INA219 restarted: its configuration register reads 0x399f instead of 0x1917/);
});
