import { expect, test } from "vitest";
import { parseRig } from "../../src/rig/rig.ts";
import { checkSpace, forecast } from "../../src/session/forecast.ts";

const rigOf = (plan: string, more = "") =>
  parseRig(
    `name: bench\nmeasurand: meter.main\ninstruments: { meter: { kind: bridge-ina219, emulated: bridge-ina219, shunt_ohm: 0.1 } }\nplan: ${plan}\n${more}`,
    "rig.yaml",
  );
const day = rigOf("{ baseline_s: 3600, settle_s: 0, after_s: 0, timeout_s: 86400 }");

test("the forecast follows from the rates and the plan, the reserve on top", () => {
  const { bytesPerSecond, least_bytes, most_bytes, reserve_bytes } = forecast(day);
  // A bridge at 1 kHz sends four bytes a sample and its frames.
  expect(bytesPerSecond).toBeGreaterThan(4000);
  expect(bytesPerSecond).toBeLessThan(20_000);
  expect(reserve_bytes).toBe(64 * 1024 * 1024);
  expect(least_bytes).toBeCloseTo(3600 * bytesPerSecond + reserve_bytes, -1);
  expect(most_bytes).toBeGreaterThan(90_000 * bytesPerSecond);
});

test("a session that cannot fit is refused, with what to do; one that may not fit is warned of", () => {
  const { least_bytes, most_bytes } = forecast(day);
  expect(() => checkSpace(day, "sessions/a", least_bytes - 1)).toThrowError(
    expect.objectContaining({
      kind: "sink",
      message: expect.stringMatching(
        /^sessions\/a: \d+ MB are free there, and this session takes at least \d+ MB .*; free space or choose another --out$/,
      ),
    }),
  );
  expect(checkSpace(day, "sessions/a", least_bytes + 1)).toMatch(/takes up to 1\.\d+ GB if it lasts as long as plan\.timeout_s allows/);
  expect(checkSpace(day, "sessions/a", most_bytes)).toBeUndefined();
});

test("a small disk keeps less back", () => {
  expect(forecast(rigOf("{}", "tape_reserve_mib: 4")).reserve_bytes).toBe(4 * 1024 * 1024);
});
