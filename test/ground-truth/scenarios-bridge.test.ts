import { describe, expect, test } from "vitest";
import { toSession } from "../../src/model/clock.ts";
import type { Measurement } from "../../src/model/measurement.ts";
import type { Results } from "../../src/model/results.ts";
import { evaluate } from "../../src/session/analysis.ts";
import { tapeRecording } from "../../src/session/tape-recording.ts";
import { scenario } from "../scenarios/render.ts";
import { idealBench } from "./ideal-recording.ts";
import { benchSession } from "./virtual-bench.ts";

/** What sampling at 1 kHz and the clocks may move over steps of so many watts (science.md 6), J. */
const DT_S = 1e-3;
const E_S = 0.3e-3;
const edges_j = (steps_w: number): number => steps_w * (DT_S / 4 + E_S);

/** A scenario through compiled firmware: its INA219, its frames, its clock 0.3 % fast, its driver. */
function measure(id: string): Results & { readonly samplesLost: number } {
  const bench = idealBench(id);
  const events = bench.told.events.map(({ type, source, tick, request, tokens }) => ({
    type,
    request,
    true_s: toSession(bench.told.maps.find((each) => each.source === source)!, tick),
    ...(tokens === undefined ? {} : { tokens }),
  }));
  const workload = { plant: bench.plant, end_s: bench.end_s, events, lead_s: 1.5, after_s: 0.3, idle: bench.told.idle };
  const links = { seed: 1, bridge_ppm: 3000, device_ppm: 37, frames_lost: 0, frames_corrupted: 0 };
  const { records, rig, samplesLost } = benchSession(workload, { ...links, ...(bench.gap ? { blackout_s: bench.gap } : {}) });
  return { samplesLost, ...evaluate(id, tapeRecording({ records: () => records, damagedBytes: () => 0 }, rig)) };
}

/** Values against the truth: within the scenario's tolerance and the expanded uncertainty stated. */
function expectNear({ summary }: Results, name: string, expected: number, tolerance: number): void {
  const { value, expanded_uncertainty: U } = summary[name]!;
  expect(Math.abs(value - expected), `${name} ${value} of ${expected}`).toBeLessThanOrEqual(tolerance + U);
  expect(U / value, name).toBeLessThan(0.015);
}

const one = ({ measurements }: Results, name: string): Measurement => measurements.find((each) => each.name === name)!;

describe("through the emulated bridge", () => {
  test("S2: prefill, decode, request, idle, gross and net", { timeout: 120_000 }, () => {
    const results = measure("S2");
    const truth = scenario("S2").expect;
    expectNear(results, "prefill_energy", truth.prefill_J!, edges_j(11.8));
    expectNear(results, "prefill_energy_per_prompt_token", truth.prefill_J_per_prompt_token!, edges_j(11.8) / 240);
    expectNear(results, "decode_energy_per_token", truth.decode_J_per_token!, edges_j(7.8) / 100);
    expectNear(results, "request_energy_per_output_token", truth.total_J_per_output_token!, edges_j(11.6) / 101);
    expectNear(results, "prefill_energy_net", truth.prefill_net_J!, edges_j(11.8));
    expectNear(results, "decode_energy_per_token_net", truth.decode_net_J_per_token!, edges_j(7.8) / 100);
    expectNear(results, "idle_power", truth.idle_W!, 0);
    expectNear(results, "ttft", truth.TTFT_s!, 2 * E_S);
    expectNear(results, "tpot", truth.TPOT_s!, (2 * E_S) / 100);
  });

  test("S4: square tokens, in sum and one by one", { timeout: 120_000 }, () => {
    const results = measure("S4");
    const { total_J, J_per_token } = scenario("S4").expect;
    expectNear(results, "decode_energy", total_J!, edges_j(6.8 + 1.8));
    expectNear(results, "decode_energy_per_token", J_per_token!, edges_j(6.8 + 1.8) / 250);
    const tokens = results.measurements.filter((each) => each.name === "token_energy");
    expect(tokens).toHaveLength(250);
    for (const { value, uncertainty } of tokens) {
      expect(Math.abs(value! - J_per_token!)).toBeLessThanOrEqual(edges_j(10 + 6.8) + 2 * uncertainty!);
    }
  });

  test("S9: 150 ms of frames that never arrive", { timeout: 120_000 }, () => {
    const results = measure("S9");
    const { decode_J_est, coverage, prefill_J } = { ...scenario("S2").expect, ...scenario("S9").expect };
    const decode = one(results, "decode_energy");
    const prefill = one(results, "prefill_energy");
    expect(Math.abs(prefill.value! - prefill_J!)).toBeLessThanOrEqual(edges_j(11.8) + 2 * prefill.uncertainty!);
    expect(Math.abs(decode.value! - decode_J_est!)).toBeLessThanOrEqual(1e-3 + edges_j(7.8) + 2 * decode.uncertainty!);
    expect(decode.flags).toEqual(expect.arrayContaining(["GAP", "COVERAGE", "TOKEN_IN_GAP", "INVALID"]));
    expect(results.summary).not.toHaveProperty("decode_energy");
    // Frames hold up to 20 ms, and those that straddle an edge are lost as a whole.
    expect(Math.abs(decode.coverage - coverage!)).toBeLessThan(0.002);
    const [low_j, high_j] = decode.bounds!.session;
    expect(low_j).toBeLessThan(decode_J_est! - 0.5);
    expect(high_j).toBeGreaterThan(decode_J_est! + 0.5);
    expect(one(results, "prefill_energy").flags).not.toContain("GAP");
    expect(Math.abs(results.samplesLost - 150)).toBeLessThanOrEqual(20);
    expect(results.faults).toMatchObject([{ code: "lost_samples", count: results.samplesLost }]);
  });
});
