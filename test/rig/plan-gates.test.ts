import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CoolDown } from "../../src/rig/conditions.ts";
import { type GateReading, judgeCoolDown } from "../../src/rig/gate.ts";
import { temperatureAt, temperaturesOf } from "../../src/rig/temperature.ts";

describe("temperatures", () => {
  const zones = (...lines: string[]): object => Object.fromEntries(temperaturesOf(lines.map((line) => `zone|${line}\n`).join("")));

  test("are read in thousandths, tenths and whole degrees", () => {
    expect(zones("cpu-thermal|48312", "battery|274", "skin|37", "cold|-5000")).toEqual({
      "cpu-thermal": 48.312,
      battery: 27.4,
      skin: 37,
      cold: -5,
    });
  });

  test("that no zone can have are absent: gated, vanished, empty, zero, a word, a code", () => {
    expect(zones("cv0|-256000", "gone|", "|", "zero|0", "word|hot", "code|2147483647", "far|999999", "ok|20000")).toEqual({ ok: 20 });
  });

  test("of zones with one name are the first's, and names may hold what they like", () => {
    expect(zones("cpu|30000", "cpu|90000", "a b=c|25000")).toEqual({ cpu: 30, "a b=c": 25 });
  });

  const hal = readFileSync(new URL("dumpsys-thermalservice.txt", import.meta.url), "utf8");

  test("of an Android phone come from its sensors, those that are degrees", () => {
    const found = temperaturesOf(`${hal}Current Battery Service state:\n  level: 50\n  temperature: 274\n  technology: Li-ion\n`);
    expect(Object.fromEntries(found)).toEqual({
      TPU: 25.000002,
      G3D: 26.000002,
      BIG: 26.000002,
      LITTLE: 27.000002,
      MID: 27.000002,
      "VIRTUAL-SKIN": 24.83324,
      "cellular-emergency": 24.83324,
      battery: 22.1,
    });
  });

  test("of a phone that says nothing else are its battery's", () => {
    expect(Object.fromEntries(temperaturesOf("Current Battery Service state:\n  level: 50\n  temperature: 345\n"))).toEqual({
      battery: 34.5,
    });
    expect(temperaturesOf("  log: level:72, temperature:345\n").size).toBe(0);
  });

  test("of the warmest zone stand for a device whose zone is not named", () => {
    const found = temperaturesOf("zone|a|30000\nzone|b|45000\n");
    expect([
      temperatureAt(found, undefined),
      temperatureAt(found, "a"),
      temperatureAt(found, "c"),
      temperatureAt(new Map(), undefined),
    ]).toEqual([45, 30, undefined, undefined]);
  });
});

describe("a cool-down gate", () => {
  const rule = (more: object) => CoolDown.parse({ hold_s: 30, every_s: 5, timeout_s: 600, ...more });
  /** A reading every 5 s. */
  const series = (values: readonly (number | undefined)[]): GateReading[] => values.map((degc, i) => ({ at_s: 100 + 5 * i, degc }));
  /** Seconds until it opens; undefined when it never does. */
  const opens = (values: readonly (number | undefined)[], more: object, start?: number): number | undefined => {
    const readings = series(values);
    const at = readings.findIndex((_, i) => judgeCoolDown(readings.slice(0, i + 1), rule(more), start).state === "open");
    return at < 0 ? undefined : 5 * at;
  };
  const steady = (degc: number): number[] => Array<number>(40).fill(degc);

  test("opens when the temperature has been below for the whole of the hold", () => {
    expect(opens(steady(39), { below_degc: 40 })).toBe(30);
    expect(opens([50, 45, 41, 40, ...steady(39)], { below_degc: 40 })).toBe(50);
    expect(opens(steady(40), { below_degc: 40 })).toBeUndefined();
  });

  test("starts its hold anew after a warm reading, and after one that is missing", () => {
    expect(opens([39, 39, 39, 39, 39, 41, ...steady(39)], { below_degc: 40 })).toBe(60);
    expect(opens([39, 39, 39, 39, 39, undefined, ...steady(39)], { below_degc: 40 })).toBe(60);
  });

  test("stays shut while the slope is too steep, although it is cool: from below, too", () => {
    const falling = Array.from({ length: 40 }, (_, i) => 39 - 0.1 * i); // 1.2 degC/min
    expect(opens(falling, { below_degc: 40, slope_degc_per_min: 1.3 })).toBe(30);
    expect(opens(falling, { below_degc: 40, slope_degc_per_min: 1.1 })).toBeUndefined();
    expect(opens(falling.toReversed(), { slope_degc_per_min: 1.1 })).toBeUndefined();
    // Exponential, 39 + 10 exp(-t / 60 s): steep at first, then not.
    const decaying = Array.from({ length: 100 }, (_, i) => 29 + 10 * Math.exp((-5 * i) / 60));
    // The secant over 30 s is below 1 degC/min when 10 exp(-t/60) (1 - exp(-1/2)) < 0.5, which is t > 124 s, at its beginning.
    expect(opens(decaying, { slope_degc_per_min: 1 })).toBeGreaterThanOrEqual(150);
    expect(opens(decaying, { slope_degc_per_min: 1 })).toBeLessThanOrEqual(160);
  });

  test("opens near where it started, and never when that is unknown", () => {
    expect(opens([45, 40, 36, 33, ...steady(31)], { within_degc_of_start: 2 }, 30)).toBe(50);
    expect(opens(steady(27), { within_degc_of_start: 2 }, 30)).toBeUndefined();
    expect(opens(steady(30), { within_degc_of_start: 2 })).toBeUndefined();
  });

  test("is given up after its time, saying what was wanted", () => {
    const readings = series(Array<number>(121).fill(45));
    expect(judgeCoolDown(readings.slice(0, 120), rule({ below_degc: 40 }), undefined).state).toBe("wait");
    expect(judgeCoolDown(readings, rule({ below_degc: 40, zone: "cpu" }), undefined)).toEqual({
      state: "late",
      detail: "cpu: 45.0 degC; wanted below 40 degC",
    });
    const gone = series(Array<undefined>(121).fill(undefined));
    expect(judgeCoolDown(gone, rule({ below_degc: 40, channel: "temperature_degc:cv0" }), undefined).detail).toBe(
      "cv0: cannot be read; wanted a temperature",
    );
  });

  test("waits while nothing was read", () => {
    expect(judgeCoolDown([], rule({ below_degc: 40 }), undefined)).toEqual({ state: "wait", detail: "the warmest zone: not read yet" });
  });
});
