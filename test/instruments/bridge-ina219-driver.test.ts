import { describe, expect, test } from "vitest";
import { endTick } from "../../src/model/block.ts";
import { openDriver, streamingDriver } from "./bridge-ina219-bench.ts";
import { answer, boot, end, ID, samples, status, text, trigger } from "./bridge-ina219-wire.ts";

describe("handshake", () => {
  test("asks one thing after the other, with the settings of the rig", () => {
    const { heard } = streamingDriver();
    expect(heard.written).toBe("\nstop\nid\nconfig rate_hz=1000 reg=0x1917 addr=0x0040\nstart\n");
    expect(heard.identity).toMatchObject({ firmware: "1.0.0", register: "0x1917", period_us: 1000 });
  });

  test("asks again while the board is still in its bootloader", () => {
    const { heard, tick } = openDriver();
    for (let k = 0; k <= 12; k++) tick(k * 0.1);
    expect(heard.written).toBe("\nstop\n\nstop\n\nstop\n");
  });

  test("starts over when the board boots in the middle of it", () => {
    const { heard, feed, driver } = openDriver();
    feed(text(answer("stop")));
    feed(boot());
    feed(text(ID));
    for (const command of ["stop", "id", "config", "start"]) feed(text(answer(command)));
    expect(driver.ready).toBe(true);
    expect(heard.written).toMatch(/^\nstop\nid\n\nstop\nid\nconfig .*\nstart\n$/);
  });

  test("frames that an earlier run left behind are not samples", () => {
    const { feed, blocks, heard } = openDriver();
    feed(samples({ counter: 4711 }).subarray(5));
    feed(samples({ counter: 4721 }));
    feed(end({ ticks: 4731 }));
    for (const command of ["stop", "id", "config", "start"]) feed(text(answer(command)));
    feed(samples({ counter: 0 }));
    expect(blocks).toHaveLength(1);
    expect(heard.faults).toEqual({});
  });

  test("a damaged answer to start does not hide the samples", () => {
    const { feed, blocks, driver } = openDriver();
    for (const command of ["stop", "id", "config"]) feed(text(answer(command)));
    feed(text("ok st\x80\x13t\n"));
    feed(samples({ counter: 0 }));
    expect(driver.ready).toBe(true);
    expect(blocks).toHaveLength(1);
  });
});

describe("samples", () => {
  test("counts become amperes and volts; negative ones stay negative", () => {
    const { feed, blocks } = streamingDriver();
    feed(samples({ counter: 0, n: 2, shunt: -1234, bus: (963 << 3) | 2 }));
    expect(blocks[0]!.columns["main.current_a"]![1]).toBeCloseTo(-0.1234, 12);
    expect(blocks[0]!.columns["main.voltage_v"]![1]).toBeCloseTo(3.852, 12);
  });

  test("a bin is one period long and centred on the middle of the conversion", () => {
    const { feed, blocks } = streamingDriver();
    feed(samples({ counter: 0, t_us: 10_000 }));
    // 250 us to the latch, minus half of 552 us and half of 276 us, plus half a period.
    expect(blocks[0]).toMatchObject({ sampler: "averaged", ticks: { first: 10_000 + 250 - 276 - 138 + 500, step: 1000 } });
    expect(blocks[0]!.startTick).toBe(9336);
  });

  test("the clock's wrap is not seen", () => {
    const { feed, blocks } = streamingDriver();
    const before = 2 ** 32 - 9_500;
    feed(samples({ counter: 0, t_us: before }));
    feed(samples({ counter: 10, t_us: 500 }));
    feed(samples({ counter: 20, t_us: 10_500 }));
    expect(blocks.map((block) => block.startTick - blocks[0]!.startTick)).toEqual([0, 10_000, 20_000]);
    expect(endTick(blocks[2]!)).toBeGreaterThan(2 ** 32);
  });

  test("two wraps inside one gap are not lost either", () => {
    const { feed, blocks, heard } = streamingDriver();
    feed(samples({ counter: 0, t_us: 5000 }));
    const counter = 9_000_000;
    feed(samples({ counter, t_us: (5000 + counter * 1000) % 2 ** 32 }));
    expect(blocks[1]!.startTick - blocks[0]!.startTick).toBe(counter * 1000);
    expect(heard.faults.lost_samples).toBe(counter - 10);
  });

  test("loss is exact: at the head, in the middle, at the tail", () => {
    const { feed, blocks, heard, driver } = streamingDriver();
    feed(samples({ counter: 15 }));
    feed(samples({ counter: 25 }));
    feed(samples({ counter: 50 }));
    driver.stop!();
    feed(end({ ticks: 63 }));
    expect(blocks.map(({ lostBefore }) => lostBefore)).toEqual([15, 0, 15]);
    expect(heard.faults).toEqual({ lost_samples: 15 + 15 + 3 });
    expect(driver.stopped).toBe(true);
  });

  test("causes the bridge states come beside the loss, each once", () => {
    const { feed, heard, driver } = streamingDriver();
    feed(samples({ counter: 0 }));
    feed(status({ ticks: 10, i2c: 3 }));
    feed(status({ ticks: 10, i2c: 3, overruns: 15 }));
    feed(samples({ counter: 30 }));
    feed(status({ ticks: 40, i2c: 4, overruns: 15, missed: 2 }));
    driver.stop!();
    feed(end({ ticks: 43, i2c: 4, overruns: 15, missed: 2 }));
    expect(heard.faults).toEqual({ lost_samples: 20 + 3, i2c_error: 4, ring_overrun: 15 + 2 });
  });

  test("stale, saturated and overflowed samples are kept and counted", () => {
    const { feed, blocks, heard } = streamingDriver();
    feed(samples({ counter: 0, bus: 1250 << 3 }));
    feed(samples({ counter: 10, shunt: -32_000 }));
    feed(samples({ counter: 20, bus: (4000 << 3) | 2, n: 3 }));
    feed(samples({ counter: 23, bus: (1250 << 3) | 3, n: 2 }));
    expect(heard.faults).toEqual({ stale_sample: 10, over_range: 13, arithmetic_overflow: 2 });
    expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBe(25);
  });

  test("a damaged frame is dropped whole, and its samples are counted as lost", () => {
    const { feed, blocks, heard } = streamingDriver();
    const damaged = samples({ counter: 10 });
    damaged[20]! ^= 0x40;
    feed(samples({ counter: 0 }));
    feed(damaged);
    feed(samples({ counter: 20 }));
    expect(blocks.map(({ lostBefore }) => lostBefore)).toEqual([0, 10]);
    expect(heard.faults).toEqual({ bad_frame: 1, lost_samples: 10 });
  });

  test.each([1, 2, 13, 1000])("chunks of %i bytes give the same blocks", (cut) => {
    const whole = streamingDriver();
    const cutUp = streamingDriver();
    const bytes = Buffer.concat([
      samples({ counter: 0 }),
      status({ ticks: 10 }),
      trigger(7777, 1),
      samples({ counter: 12, shunt: -3 }),
      end({ ticks: 30 }),
    ]);
    whole.feed(bytes);
    for (let at = 0; at < bytes.length; at += cut) cutUp.feed(bytes.subarray(at, at + cut));
    expect(cutUp.blocks).toEqual(whole.blocks);
    expect(cutUp.heard).toEqual(whole.heard);
    expect(cutUp.driver.stopped).toBe(true);
  });

  test("an edge has the tick of its interrupt, across the wrap", () => {
    const { feed, heard } = streamingDriver();
    feed(samples({ counter: 0, t_us: 2 ** 32 - 10_000 }));
    feed(trigger(250, 1));
    expect(heard.edges).toEqual([{ input: "int0", level: 1, tick: 2 ** 32 + 250 }]);
  });
});
