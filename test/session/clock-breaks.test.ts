import { describe, expect, test } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { type Doing, PROMPTS_S, pulseSession } from "./pulse-bench.ts";

const MS = 1e-3;
/** Within the third prompt, [30, 45). */
const STRUCK_S = 37.1;
const STRUCK = "r3";
const REQUESTS = ["r1", "r2", "r3", "r4", "r5"];

/** When the prompts begin, true time. */
const STARTS_S = [14, 20, 30, 50, 56];

/** Largest error of a request's two ends, seconds. */
function errorOf(results: Results, request: string): number {
  const { start_s, end_s } = results.measurements.find((each) => each.name === "request_energy" && each.request === request)!;
  const k = Number(request.slice(1)) - 1;
  return Math.max(Math.abs(start_s - STARTS_S[k]!), Math.abs(end_s - STARTS_S[k]! - PROMPTS_S[k]!));
}
const flagsOf = (results: Results, request: string): string[] => [
  ...new Set(results.measurements.filter((each) => each.request === request && each.phase !== "token").flatMap((each) => each.flags)),
];
const faults = (results: Results, code: string) => results.faults.filter((each) => each.code === code);
const rule = (results: Results, name: string) => results.validity.find((each) => each.rule === name)!;

/** All requests but the struck one are where they were, unflagged, and count. */
function expectOthersUnharmed(results: Results): void {
  for (const request of ["r1", "r2", "r4", "r5"]) {
    expect(errorOf(results, request)).toBeLessThan(0.3 * MS);
    expect(flagsOf(results, request)).not.toContain("CLOCK_STEP");
    expect(flagsOf(results, request)).not.toContain("INVALID");
  }
  expect(results.summary.e2e_latency!.n).toBe(PROMPTS_S.length - 1);
}

const jump = (size_s: number): Doing => ({ jumped_s: (t) => (t >= STRUCK_S ? size_s : 0) });
/** Between two prompts. */
const REBOOT_S = 47;

describe("a device whose clock", () => {
  test.each([
    ["jumps ahead by 2 s", 2],
    ["goes back by 2 s", -2],
    ["goes back by a day", -86_400],
    ["jumps ahead by 1000 days", 86.4e6],
    ["stands still for 30 s, as one that sleeps", -30],
    ["jumps by 50 ms", 0.05],
  ])("%s: two epochs, one fault, and only the request across it is lost", (_, size_s) => {
    const results = pulseSession(jump(size_s));
    const found = faults(results, "clock_step");
    expect(found.map(({ source, count }) => [source, count])).toEqual([["device", 1]]);
    expect(Math.abs(found[0]!.at_s - STRUCK_S)).toBeLessThan(1);
    expect(found[0]!.detail).toContain(size_s > 0 ? "jumped ahead by" : "went back, or stood still, by");
    expect(Number.parseFloat(found[0]!.detail!.split(" by ")[1]!) / Math.abs(size_s)).toBeCloseTo(1, 2);
    expect(Object.keys(results.clocks).filter((key) => key.startsWith("device/"))).toEqual(["device/0", "device/1"]);
    expect(flagsOf(results, STRUCK)).toEqual(expect.arrayContaining(["CLOCK_STEP", "INVALID"]));
    expectOthersUnharmed(results);
    expect(rule(results, "clock_steps")).toMatchObject({ pass: false, level: "WARN" });
    // The second train of pulses is on the new clock.
    expect(rule(results, "alignment").pass).toBe(true);
  });

  test("begins anew with a reboot: the channel that is opened again has an epoch of its own", () => {
    const results = pulseSession({ jumped_s: (t) => (t >= REBOOT_S ? -REBOOT_S - 3 : 0), reopened_s: REBOOT_S });
    expect(Object.keys(results.clocks).filter((key) => key.startsWith("device/"))).toEqual(["device/0", "device/1"]);
    expect(faults(results, "link_reopened")).toMatchObject([{ source: "device", count: 1 }]);
    expect(faults(results, "clock_step")).toEqual([]);
    expect(results.summary.e2e_latency!.n).toBe(PROMPTS_S.length);
    for (const request of REQUESTS) expect(errorOf(results, request)).toBeLessThan(0.3 * MS);
  });

  test("steps twice: three epochs, and the request between them counts", () => {
    // In the second prompt, [20, 25), and in the last, [56, 61).
    const results = pulseSession({ jumped_s: (t) => (t >= 57 ? 7 : t >= 21 ? -3 : 0) });
    expect(faults(results, "clock_step")).toHaveLength(2);
    expect(Object.keys(results.clocks).filter((key) => key.startsWith("device/"))).toHaveLength(3);
    expect(REQUESTS.filter((name) => flagsOf(results, name).includes("CLOCK_STEP"))).toEqual(["r2", "r5"]);
    for (const request of ["r1", "r3", "r4"]) expect(errorOf(results, request)).toBeLessThan(0.3 * MS);
  });
});

test("pings answered with garbage or with false stamps cost nothing but themselves, and are counted", () => {
  const garbage = (line: string, n: number): string => {
    if (n % 10 === 3) return '{"type":"pong","id":0,"received_s":"never"}';
    if (n % 10 !== 7) return line;
    const pong = JSON.parse(line) as { id: number; received_s: number };
    return JSON.stringify({ ...pong, type: "pong", received_s: pong.received_s + 5 * MS, sent_s: pong.received_s + 5 * MS });
  };
  const results = pulseSession({ pong: garbage });
  const clean = pulseSession();
  expect(faults(results, "clock_step")).toEqual([]);
  expect(faults(results, "unread_line")[0]!.count).toBeGreaterThan(20);
  const { pings_dropped, bound_s } = results.clocks["device/0"]!;
  expect(Number(pings_dropped)).toBeGreaterThan(20);
  expect(Number(bound_s)).toBeLessThan(2 * Number(clean.clocks["device/0"]!.bound_s));
  expect(results.summary.e2e_latency!.n).toBe(PROMPTS_S.length);
});

test("a clean session breaks nowhere, and both estimators agree", () => {
  const results = pulseSession();
  for (const code of ["clock_step", "clock_restart", "clock_disagreement"]) expect(faults(results, code)).toEqual([]);
  expect(rule(results, "clock_agreement").pass).toBe(true);
  expect(Number(results.clocks["device/0"]!.cross_check_s)).toBeGreaterThan(0);
  expect(Number(results.clocks["device/0"]!.cross_check_s)).toBeLessThan(0.05 * MS);
});

test("a meter that lost more than a second of samples gets a new epoch; both sides keep their time", () => {
  const results = pulseSession({ silent_s: [STRUCK_S, STRUCK_S + 1.5] });
  expect(faults(results, "clock_restart")).toMatchObject([{ source: "meter", count: 1, detail: expect.stringContaining("missing") }]);
  expect(Object.keys(results.clocks).filter((key) => key.startsWith("meter/"))).toEqual(["meter/0", "meter/1"]);
  for (const key of ["meter/0", "meter/1"]) expect(Number(results.clocks[key]!.rate_ppm)).toBeCloseTo(200, -2);
  expect(flagsOf(results, STRUCK)).toEqual(expect.arrayContaining(["CLOCK_STEP", "GAP", "INVALID"]));
  expectOthersUnharmed(results);
  expect(rule(results, "alignment").pass).toBe(true);
});
