import { expect, test } from "vitest";
import { PULSE_CODE, PULSES_DONE_LINE, PULSES_UNSUPPORTED_LINE, parseSync, pulseLine, triggerLine } from "../../src/wire/pulses.ts";

test("the code: 12 pulses of 100 to 250 ms with pauses of 150 to 350 ms", () => {
  expect(PULSE_CODE).toHaveLength(12);
  expect(PULSE_CODE[0]!.on_s).toBe(0);
  for (const [k, { on_s, off_s }] of PULSE_CODE.entries()) {
    expect(off_s - on_s).toBeGreaterThan(0.0999);
    expect(off_s - on_s).toBeLessThan(0.2501);
    if (k > 0) expect(on_s - PULSE_CODE[k - 1]!.off_s).toBeGreaterThan(0.1499);
    if (k > 0) expect(on_s - PULSE_CODE[k - 1]!.off_s).toBeLessThan(0.3501);
  }
});

test("its edges fall evenly on the phases of 10 ms, so that 100 Hz sees a rise", () => {
  for (const key of ["on_s", "off_s"] as const) {
    const phases = PULSE_CODE.map((pulse) => Math.floor((Math.round(pulse[key] * 1000) % 10) / 2));
    for (let fifth = 0; fifth < 5; fifth++) expect(phases.filter((each) => each === fifth).length).toBeGreaterThanOrEqual(2);
  }
});

test("lines are read as they were written", () => {
  expect(parseSync(pulseLine({ on_s: 12.3, off_s: 12.496 }))).toEqual({
    type: "pulse",
    pulse: { on_s: 12.3, off_s: 12.496 },
    isOnPongs: false,
  });
  expect(parseSync(triggerLine(1, 7.5))).toEqual({ type: "trigger", level: 1, time_s: 7.5 });
  expect(parseSync(PULSES_DONE_LINE)).toEqual({ type: "pulses_done" });
  expect(parseSync(PULSES_UNSUPPORTED_LINE)).toEqual({ type: "pulses_unsupported" });
});

test.each([
  '{"type":"pulse","on_s":1}',
  '{"type":"pulse","on_s":2,"off_s":1}',
  '{"type":"pulse","on_s":"1","off_s":2}',
  '{"type":"trigger","level":2,"time_s":1}',
  '{"type":"trigger","level":1}',
  '{"type":"token","request":"pulse","time_s":1}',
  '"pulse"',
  '{"type":"pulse","on_s":1,"off_s":2',
  `{"type":"pulse","on_s":1,"off_s":2,"x":"${"x".repeat(300)}"}`,
])("%s is not one", (line) => {
  expect(parseSync(line)).toBeUndefined();
});
