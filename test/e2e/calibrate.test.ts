import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { ROOT, readResults, scratch, workload, writeRig } from "./bench.ts";
import { type Ended, joulebench } from "./joulebench.ts";

/*
 * A bridge whose shunt is 0.1030 ohm while its rig says 0.1: a session is 3 % off, until a calibration finds the shunt
 * and the same tape is analysed with it. The load draws 5 W from 5 V for ever, so 5 W is the truth everywhere.
 */

const SHUNT_OHM = 0.103;
const LOAD_W = 5;
const BENCH = `simulate: { shunt_ohm: ${SHUNT_OHM}, load_w: ${LOAD_W} }
# what a later reader should know
`;
/** 5 V over 5 ohm. */
const REFERENCE = ["--resistor", "5", "--resistor-uncertainty", "0.1%", "--reference-voltage", "5", "--reference-uncertainty", "0.05%"];

const folder = scratch();
const { dir } = folder;
const session = join(dir, "session");
let rig: string;
let before: Results;
let steps: Record<"zero" | "load" | "analyze", Ended>;

beforeAll(async () => {
  rig = writeRig(dir, { command: workload("--requests=5"), more: BENCH });
  const ended = await joulebench(["run", rig, "--out", session], { cwd: dir });
  before = readResults(session, ended);
  const calibrate = (...flags: string[]) => joulebench(["calibrate", rig, "--seconds", "2", "--json", ...flags], { cwd: dir });
  steps = {
    zero: await calibrate("--open"),
    load: await calibrate(...REFERENCE),
    analyze: await joulebench(["analyze", session, "--rig", rig, "--json"], { cwd: dir }),
  };
}, 100_000);
afterAll(() => folder.remove());

const power = ({ summary }: Results) => {
  const { value, expanded_uncertainty: U } = summary.mean_power!;
  return { value, U };
};

test("uncalibrated, the truth lies far outside the stated interval", () => {
  const { value, U } = power(before);
  expect(value).toBeCloseTo(LOAD_W * 1.03, 1);
  expect(Math.abs(value - LOAD_W)).toBeGreaterThan(2 * U);
});

test("the planted shunt is found within the stated uncertainty", () => {
  expect([steps.zero.code, steps.load.code]).toEqual([0, 0]);
  const { calibration, before: rigs, errors } = JSON.parse(steps.load.stdout);
  expect(rigs.shunt_ohm).toBe(0.1);
  const u = errors.currentGain.u / errors.currentGain.value;
  expect(u).toBeLessThan(0.0015);
  expect(Math.abs(calibration.shunt_ohm / SHUNT_OHM - 1)).toBeLessThan(2 * u);
  expect(calibration.gain_uncertainty).toBeLessThan(0.002);
});

test("it is in the rig file, with zero, date and method, and comments are kept", () => {
  const text = readFileSync(rig, "utf8");
  expect(text).toContain("# what a later reader should know");
  expect(text).toContain("shunt_ohm: 0.1,");
  expect(text).toMatch(/calibration:\s*\{?\s*date: 2\d{3}-/);
  expect(text).toMatch(/resistor 5 ohm \(u 0.1%\), second meter 5 V/);
  expect(text).toContain("current_offset_uncertainty_a:");
});

test("the same tape, analysed with the new calibration, has the truth inside its interval; the old results stay", () => {
  const { value, U } = power(JSON.parse(steps.analyze.stdout));
  expect(Math.abs(value - LOAD_W)).toBeLessThan(U);
  expect(U / value).toBeLessThan(0.01);
  expect(power(readResults(session, steps.analyze))).toEqual(power(before));
  expect(power(JSON.parse(readFileSync(join(session, "results-rig.json"), "utf8")))).toEqual({ value, U });
});

/** A run with answers on standard input. */
function answering(input: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(ROOT, "dist/main.js"), "calibrate", ...args], {
    cwd: dir,
    input,
    encoding: "utf8",
    timeout: 60_000,
  });
}

test("without flags it asks for each step, and stores nothing when told so", () => {
  const text = readFileSync(rig, "utf8");
  const { status, stdout, stderr } = answering("\n\n\n1\n5\n0.2%\nn\n", rig, "--seconds", "1");
  expect(stderr).toMatch(
    /Disconnect everything.*Connect the load.*Resistance.*Current of the load.*Voltage over.*uncertainty of that meter.*Store this/s,
  );
  expect(stdout).toContain("reference current");
  expect(stdout).not.toContain("stored");
  expect(status).toBe(0);
  expect(readFileSync(rig, "utf8")).toBe(text);
});

test("what it cannot work with is refused before anything is opened", () => {
  const { status, stdout, stderr } = answering("", rig, "--open", "--instrument", "psu");
  expect(stderr).toContain("psu: no such instrument in the rig; there are: meter");
  expect([status, stdout]).toEqual([2, ""]);
});

test("a load that cannot be the one named is not taken for a shunt half as large", () => {
  const { status, stderr } = answering("", rig, "--seconds", "1", "--resistor", "10", "--resistor-uncertainty", "0.1%");
  expect(stderr).toMatch(/the channel shows 1\.00 A at 5\.000 V, but the load should draw 0\.500 A/);
  expect(status).toBe(2);
});
