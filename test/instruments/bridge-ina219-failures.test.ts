import { describe, expect, test } from "vitest";
import { JoulebenchError } from "../../src/model/errors.ts";
import { openDriver, streamingDriver } from "./bridge-ina219-bench.ts";
import { answer, boot, end, ID, samples, text } from "./bridge-ina219-wire.ts";

function failure(run: () => void): JoulebenchError {
  try {
    run();
  } catch (error) {
    if (error instanceof JoulebenchError) return error;
    throw error;
  }
  throw new Error("did not fail");
}

describe("what is on the other end", () => {
  test("a modem", () => {
    const { tick, feed } = openDriver();
    tick(0);
    const error = failure(() => {
      for (let k = 1; k < 60; k++) feed(text("\r\nERROR\r\n"), k * 0.1);
    });
    expect(error.kind).toBe("protocol");
    expect(error.message).toBe(
      'meter: no valid frame in 2 s at 1000000 Bd: received "\\x0d\\x0aERROR\\x0d\\x0a"; is this port the bridge, and is its rate 1000000?',
    );
  });

  test("a sensor that prints a line a second", () => {
    const { tick, feed } = openDriver();
    tick(0);
    const error = failure(() => {
      for (let k = 1; k < 60; k++) k % 10 ? tick(k * 0.1) : feed(text("T=21.4C\n"), k * 0.1);
    });
    expect(error).toMatchObject({ kind: "protocol", message: expect.stringContaining("no valid frame in 2 s") });
  });

  test("another baud rate", () => {
    const { tick, feed } = openDriver();
    tick(0);
    const garbage = Uint8Array.from({ length: 400 }, (_, k) => (k * 7919 + (k >> 3) * 104729) & 0xff);
    const error = failure(() => {
      for (let k = 1; k < 60; k++) feed(garbage, k * 0.1);
    });
    expect(error).toMatchObject({ kind: "protocol", message: expect.stringContaining("is its rate 1000000?") });
  });

  test("nothing", () => {
    const { tick } = openDriver();
    let at = 0;
    const error = failure(() => {
      for (; at < 100; at++) tick(at * 0.1);
    });
    expect(at * 0.1).toBeCloseTo(6, 1);
    expect(error).toMatchObject({ kind: "protocol", message: expect.stringMatching(/no answer to "stop" in 6 s.*flash/) });
  });

  test("nothing, where a bridge has been before: the link may come back", () => {
    const { tick } = openDriver(1);
    expect(failure(() => [0, 3, 6.1].forEach(tick)).kind).toBe("link");
  });

  test("a bootloader that speaks first and is followed by the bridge is no error", () => {
    const { tick, feed, driver } = openDriver();
    feed(text("\x14\x10 bootloader\r\n"), 0.1);
    for (let k = 2; k <= 25; k++) tick(k * 0.1);
    for (const command of ["stop", "id", "config", "start"]) feed(text(answer(command)), 2.6);
    expect(driver.ready).toBe(true);
  });

  test("another protocol, another sensor, a refused setting", () => {
    const protocol = openDriver();
    protocol.feed(text(answer("stop")));
    expect(failure(() => protocol.feed(text(ID.replace("protocol=1", "protocol=2"))))).toMatchObject({
      kind: "protocol",
      message: "meter: the bridge speaks protocol 2, expected 1: flash firmware-bridge/bridge-ina219-uno.hex of this version",
    });
    expect(failure(() => openDriver().feed(boot(7))).message).toContain("protocol 7, expected 1");
    const sensor = openDriver();
    sensor.feed(text(answer("stop")));
    expect(failure(() => sensor.feed(text(ID.replace("ina219", "ina226"))))).toMatchObject({
      kind: "protocol",
      message: expect.stringContaining('"ina226"'),
    });
    const setting = openDriver();
    for (const command of ["stop", "id"]) setting.feed(text(answer(command)));
    expect(failure(() => setting.feed(text("error config: rate_hz=50..100 expected\n"))).message).toContain(
      "error config: rate_hz=50..100 expected",
    );
  });
});

describe("while streaming", () => {
  test("a boot frame, a banner, or a counter that runs back is a restart", () => {
    for (const bytes of [boot(), text(ID), samples({ counter: 3 })]) {
      const { feed } = streamingDriver();
      feed(samples({ counter: 0 }));
      expect(failure(() => feed(bytes))).toMatchObject({ kind: "link", message: expect.stringContaining("the bridge restarted") });
    }
  });

  test("silence and noise are link failures", () => {
    const silent = streamingDriver();
    expect(failure(() => [1, 1.9, 2.1].forEach(silent.tick))).toMatchObject({
      kind: "link",
      message: expect.stringContaining("silent for 2 s"),
    });
    const noisy = streamingDriver();
    const error = failure(() => {
      for (let k = 1; k < 40; k++) noisy.feed(text("\xff\xfe\xfd"), k * 0.1);
    });
    expect(error).toMatchObject({ kind: "link", message: expect.stringContaining("no valid frame in 2 s") });
  });

  test("stop is asked again until the total comes, and silence after it is no failure", () => {
    const { driver, feed, tick, heard } = streamingDriver();
    expect(Buffer.from(driver.stop!()).toString()).toBe("\nstop\n");
    heard.written = "";
    tick(0.6);
    expect(heard.written).toBe("\nstop\n");
    feed(end({ ticks: 0 }), 0.7);
    feed(text("ok stop\n"), 0.7);
    for (let k = 1; k < 100; k++) tick(k);
    expect(driver.stopped).toBe(true);
  });

  test("on a replayed tape nobody calls stop, and the end is found all the same", () => {
    const { driver, feed, heard } = streamingDriver();
    feed(samples({ counter: 0 }));
    feed(end({ ticks: 12 }));
    expect(driver.stopped).toBe(true);
    expect(heard.faults).toEqual({ lost_samples: 2 });
  });
});
