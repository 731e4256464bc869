import { describe, expect, test } from "vitest";
import { calibrationAge, withCalibration } from "../../src/rig/calibration.ts";
import { instrumentOf, parseRig } from "../../src/rig/rig.ts";

const TEXT = `# the bench in room 2
name: bench
instruments:
  meter:
    kind: bridge-ina219
    port: /dev/ttyUSB0
    shunt_ohm: 0.1   # as printed
measurand: meter.main
`;
const FOUND = { date: "2026-03-01", method: "resistor", shunt_ohm: 0.1003, current_offset_a: 0.0002 };

describe("a calibration in the rig", () => {
  const text = withCalibration(TEXT, "rig.yaml", "meter", FOUND);

  test("keeps comments and what was there", () => {
    expect(text).toContain("# the bench in room 2");
    expect(text).toMatch(/shunt_ohm: 0\.1 +# as printed/);
  });

  test("stands in for the options of the same names, and for no others", () => {
    const { options } = instrumentOf(parseRig(text, "rig.yaml"), "meter");
    expect(options).toMatchObject({ shunt_ohm: 0.1003, current_offset_a: 0.0002, voltage_gain: 1, rate_hz: 1000 });
    expect(options).not.toHaveProperty("date");
    expect(options).not.toHaveProperty("calibration");
  });

  test("a later one replaces it", () => {
    const later = withCalibration(text, "rig.yaml", "meter", { date: "2026-09-01", shunt_ohm: 0.1004 });
    expect(later.match(/calibration:/g)).toHaveLength(1);
    expect(parseRig(later, "rig.yaml").instruments.meter!.calibration).toEqual({ date: "2026-09-01", shunt_ohm: 0.1004 });
  });

  test("that makes no sense is refused with its line", () => {
    expect(() => withCalibration(TEXT, "rig.yaml", "meter", { date: "yesterday", shunt_ohm: -1, shunts: 2 })).toThrow(
      /instruments\.meter\.calibration\.date: expected a date[\s\S]*shunt_ohm[\s\S]*shunts: unknown key/,
    );
  });
});

describe("its age", () => {
  const rig = (more: string) => parseRig(`${TEXT}${more}`, "rig.yaml");
  const calibrated = parseRig(withCalibration(`${TEXT}calibration_max_age_days: 90\n`, "rig.yaml", "meter", FOUND), "rig.yaml");

  test("counts to the start of the session", () => {
    expect(calibrationAge(calibrated, "2026-05-01T00:00:00.000Z")).toEqual({ age_days: 61, limit_days: 90 });
    expect(calibrationAge(calibrated, "2026-02-27T00:00:00.000Z").age_days).toBe(-2);
  });

  test("is absent without a calibration", () => {
    expect(calibrationAge(rig(""), "2026-05-01")).toEqual({});
    expect(calibrationAge(rig("calibration_max_age_days: 30\n"), "2026-05-01")).toEqual({ limit_days: 30 });
  });
});
