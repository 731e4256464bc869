import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { analyzeSession } from "../../src/session/analysis.ts";
import { phonePlant } from "../../src/simulate/phone.ts";
import { ROOT, readResults, scratch, startBridge, writeRig } from "./bench.ts";
import { type Ended, joulebench } from "./joulebench.ts";

/*
 * Real firmware in the emulator, behind a pseudo-terminal, read by serialport in real time: the whole way of a bench
 * with an Arduino, but for the Arduino. INA219 at 11 + 11 bit and 1 kHz, which are the rig's defaults.
 */

const PROMPTS = 3;
const SEED = 5;
const { dir, remove } = scratch();
const session = join(dir, "session");
let ended: Ended;
let results: Results;

beforeAll(async () => {
  const [link, startFile] = [join(dir, "meter"), join(dir, "start.json")];
  const emulation = [`--seed=${SEED}`, `--prompts=${PROMPTS}`, `--start-file=${startFile}`];
  const bridge = await startBridge(link, ...emulation, "--clock-skew-ppm=-1200");
  const phone = [process.execPath, join(ROOT, "dist/simulate/phone-main.js"), ...emulation];
  const plan = "{ baseline_s: 3, after_s: 2, settle_s: 1, timeout_s: 40, ping_every_s: 2 }";
  try {
    ended = await joulebench(["run", writeRig(dir, { port: link, command: phone, plan }), "--out", session, "--json"], { cwd: dir });
  } finally {
    await bridge.stop();
  }
  results = readResults(session, ended);
}, 60_000);
afterAll(remove);

test("20 s at 1 kHz: no frame and no sample is lost or damaged", () => {
  expect(results.faults).toEqual([]);
  const blocks = [...analyzeSession(session).recording.blocks()];
  expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(20_000);
  expect(blocks.filter(({ lostBefore, epoch }) => lostBefore > 0 || epoch > 0)).toEqual([]);
  for (const each of results.measurements.filter((one) => one.phase === "decode" || one.phase === "prefill"))
    expect([each.name, each.coverage, each.flags]).toEqual([each.name, 1, []]);
});

test.each([
  "prefill_energy",
  "decode_energy_per_token",
  "decode_energy_per_token_net",
  "request_energy_per_output_token",
  "idle_power",
  "ttft",
  "tpot",
])("%s: the truth lies within ± U", (name) => {
  const truth = phonePlant({ seed: SEED, prompts: PROMPTS }).truth() as Readonly<Record<string, number>>;
  const { value, expanded_uncertainty } = results.summary[name]!;
  expect(Math.abs(value - truth[name]!)).toBeLessThanOrEqual(expanded_uncertainty);
});

test("three prompts are too few for a headline: exit code 1, and the one document on stdout is results.json", () => {
  expect(ended.code).toBe(1);
  expect(ended.stdout).toBe(readFileSync(join(session, "results.json"), "utf8"));
  expect(results.validity.filter((each) => each.level === "FAIL" && !each.pass).map((each) => each.rule)).toEqual(["requests"]);
  expect(ended.stderr).toContain(`session kept in ${session}`);
});
