import { beforeAll, expect, test } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { evaluate } from "../../src/session/analysis.ts";
import { tapeRecording } from "../../src/session/tape-recording.ts";
import { IDLE_W, phonePlant } from "../../src/simulate/phone.ts";
import { phoneTruth } from "../../src/simulate/phone-truth.ts";
import { type VirtualSession, virtualSession } from "./virtual-bench.ts";

/** Lost frames leave the load and most requests of this phone whole enough. */
const SEED = 7;
const STRUCK = "r3";

const replay = (session: VirtualSession): Results =>
  evaluate("virtual", tapeRecording({ records: () => session.records, damagedBytes: () => 0 }, session.rig));

let session: VirtualSession;
let results: Results;

beforeAll(() => {
  const struck = phonePlant({ seed: SEED }).requests.find((each) => each.request === STRUCK)!;
  const first_s = struck.token_s[0]!;
  session = virtualSession({
    seed: SEED,
    bridge_ppm: 3000,
    device_ppm: 50,
    frames_lost: 0.002,
    frames_corrupted: 0.002,
    tail_lost: true,
    blackout_s: [first_s - 0.02, first_s + 0.02],
  });
  results = replay(session);
}, 120_000);

/** Flags of the phases of every request. */
const flagsOf = (request: string): string[] =>
  results.measurements
    .filter((each) => each.request === request && each.phase !== "token" && each.phase !== "tail")
    .flatMap((each) => each.flags);

/** Shares of the phases of a request that were measured. */
const coveragesOf = (request: string): number[] =>
  results.measurements
    .filter((each) => each.request === request && ["prefill_energy", "decode_energy"].includes(each.name))
    .map((each) => each.coverage);

/** Requests with nothing worse than a filled gap, by the measurements' own flags. */
const valid = (): string[] => session.phone.requests.map((each) => each.request).filter((each) => !flagsOf(each).includes("INVALID"));

test("a request that lost the samples at a phase edge is invalid and out of the summary", () => {
  expect(flagsOf(STRUCK)).toEqual(expect.arrayContaining(["GAP", "EDGE_GAP", "INVALID"]));
  expect(valid()).not.toContain(STRUCK);
  expect(results.summary.decode_energy_per_token!.n).toBe(valid().length);
  expect(results.measurements.some((each) => each.request === STRUCK && each.name === "decode_energy")).toBe(true);
});

test("a request that misses more than a hundredth of a phase is invalid, one that misses less is filled and counts", () => {
  const others = session.phone.requests.map((each) => each.request).filter((each) => each !== STRUCK);
  const short = others.filter((each) => coveragesOf(each).some((coverage) => coverage < 0.99));
  const filled = others.filter((each) => !short.includes(each) && coveragesOf(each).some((coverage) => coverage < 1));
  expect(short.length).toBeGreaterThan(0);
  expect(filled.length).toBeGreaterThan(0);
  for (const each of short) expect(flagsOf(each)).toEqual(expect.arrayContaining(["GAP", "COVERAGE", "INVALID"]));
  for (const each of filled) expect(flagsOf(each)).toContain("GAP");
  expect(valid().toSorted()).toEqual(others.filter((each) => !short.includes(each)).toSorted());
});

test.each([
  "load_energy",
  "prefill_energy",
  "prefill_energy_per_prompt_token",
  "decode_energy_per_token",
  "decode_energy_per_token_net",
  "request_energy_per_output_token",
  "request_energy_per_output_token_net",
  "idle_power",
  "ttft",
  "tpot",
])("%s: the truth lies inside the stated interval, and the interval is narrow", (name) => {
  const { plant, windows } = session.phone;
  const counted = windows.filter((each) => each.phase === "load" || valid().includes(each.request));
  const truth = phoneTruth(plant, counted, IDLE_W)[name]!;
  const { value, expanded_uncertainty } = results.summary[name]!;
  expect(Math.abs(value - truth)).toBeLessThanOrEqual(expanded_uncertainty);
  expect(expanded_uncertainty / value).toBeLessThan(0.015);
});

test("every lost sample is counted, no more and no less, the tail included", () => {
  const count = (code: string) => results.faults.filter((each) => each.code === code).reduce((sum, each) => sum + each.count, 0);
  expect(session.samplesLost).toBeGreaterThan(100);
  expect(session.framesCorrupted).toBeGreaterThan(3);
  expect(count("lost_samples")).toBe(session.samplesLost);
  expect(count("bad_frame")).toBeGreaterThanOrEqual(session.framesCorrupted);
});

test("both clocks are found: the resonator's 3000 ppm and the device's 50 ppm", () => {
  expect(Number(results.clocks["meter/0"]!.rate_ppm)).toBeCloseTo(3000, -1);
  expect(Number(results.clocks["device/0"]!.rate_ppm)).toBeCloseTo(50, 0);
});

test("the same tape gives the same results, bit for bit", () => {
  expect(JSON.stringify(replay(session))).toBe(JSON.stringify(results));
});
