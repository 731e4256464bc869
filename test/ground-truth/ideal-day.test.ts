import { expect, test } from "vitest";
import { scenario } from "../scenarios/render.ts";
import { idealBench, idealRecording } from "./ideal-recording.ts";
import { measured } from "./measured.ts";

const RATE_HZ = 5000;
const { E_J, last_80ms_J } = scenario("S11").expect;

test("S11 at 5 kHz: a day loses nothing, and its last 80 ms are still there", { timeout: 120_000 }, () => {
  const { one } = measured(idealRecording(idealBench("S11"), RATE_HZ, "integrating"));
  const day = one("unit_energy", "day");
  expect(Math.abs(day.value! / E_J! - 1)).toBeLessThan(1e-12);
  expect(day.coverage).toBe(1);
  expect(Math.abs(one("unit_energy", "last 80 ms").value! - last_80ms_J!)).toBeLessThan(1e-9);
});
