import { expect, test } from "vitest";
import { scenario } from "../scenarios/render.ts";
import { idealBench, idealRecording } from "./ideal-recording.ts";
import { type Measured, measured } from "./measured.ts";

const RATE_HZ = 5000;
const run = (id: string, sampler: "integrating" | "point" = "integrating"): Measured =>
  measured(idealRecording(idealBench(id), RATE_HZ, sampler));

/** Sampling alone: half of what a step of this many watts can hide in one sample, science.md 2.1. */
const edge_j = (steps_w: number) => steps_w / RATE_HZ / 4;
const TOLERANCE = scenario("S2").tol;
const prefill_j = TOLERANCE.prefill_J_at[`${RATE_HZ}Hz`]!;
const decode_j = TOLERANCE.decode_J_at[`${RATE_HZ}Hz`]!;

function expectNear(found: number | null, expected: number, tolerance: number): void {
  expect(Math.abs((found ?? Number.NaN) - expected)).toBeLessThanOrEqual(tolerance);
}

test("S1: a constant is exact, in sum and token by token", () => {
  const { one, all } = run("S1");
  const { decode_J, J_per_token, every_token_J } = scenario("S1").expect;
  expectNear(one("decode_energy").value, decode_J!, 1e-9);
  expectNear(one("decode_energy_per_token").value, J_per_token!, 1e-9);
  expect(all("token_energy")).toHaveLength(100);
  for (const { value } of all("token_energy")) expectNear(value, every_token_J!, 1e-9);
});

test.each(["S2", "S3"])("%s: prefill, decode, request, idle, gross and net", (id) => {
  const { one, all } = run(id);
  const { expect: truth } = scenario("S2");
  const near = (name: string, expected: number, tolerance: number) => expectNear(one(name).value, expected, tolerance);
  const request_j = edge_j(7.8 + 3.8);
  near("prefill_energy", truth.prefill_J!, prefill_j);
  near("prefill_energy_per_prompt_token", truth.prefill_J_per_prompt_token!, prefill_j / 240);
  near("decode_energy", truth.decode_J!, decode_j);
  near("decode_energy_per_token", truth.decode_J_per_token!, decode_j / 100);
  near("request_energy", truth.total_J!, request_j);
  near("request_energy_per_output_token", truth.total_J_per_output_token!, request_j / 101);
  near("idle_power", truth.idle_W!, 1e-9);
  near("prefill_energy_net", truth.prefill_net_J!, prefill_j);
  near("decode_energy_net", truth.decode_net_J!, decode_j);
  near("decode_energy_per_token_net", truth.decode_net_J_per_token!, decode_j / 100);
  near("request_energy_per_output_token_net", truth.total_net_J_per_output_token!, request_j / 101);
  const tokens_j = all("token_energy").reduce((sum, { value }) => sum + value!, 0);
  expectNear(tokens_j, one("decode_energy").value!, 1e-9);
  expectNear(one("prefill_energy").value! + one("decode_energy").value!, one("request_energy").value!, 1e-9);
});

test("S4: square tokens", () => {
  const { one, all } = run("S4");
  const { total_J, J_per_token, mean_W } = scenario("S4").expect;
  expectNear(one("decode_energy").value, total_J!, edge_j(6.8 + 1.8));
  expectNear(one("decode_energy_per_token").value, J_per_token!, edge_j(6.8 + 1.8) / 250);
  expectNear(one("decode_mean_power").value, mean_W!, edge_j(6.8 + 1.8) / 20);
  expect(all("token_energy")).toHaveLength(250);
  for (const { value } of all("token_energy")) expectNear(value, J_per_token!, edge_j(10 + 6.8));
});

test.each(["integrating", "point"] as const)("S5, %s: a ramp, token by token", (sampler) => {
  const { one, all } = run("S5", sampler);
  const { total_J, token_500_J } = scenario("S5").expect;
  expectNear(one("decode_energy").value, total_J!, 1e-9);
  expect(all("token_energy")).toHaveLength(1000);
  for (const { value, index } of all("token_energy")) expectNear(value, 0.1 * (4 + 0.02 * (0.1 * index! + 0.05)), 1e-9);
  expectNear(all("token_energy").find(({ index }) => index === 500)!.value, token_500_J!, 1e-9);
});

test("S6: an exponential warm-up, within the stated uncertainty also where instants miss the step at its end", () => {
  const truth_j = scenario("S6").expect.E_J!;
  const interior_j = 0.156 / RATE_HZ ** 2;
  expectNear(run("S6").one("unit_energy").value, truth_j, interior_j);
  const points = run("S6", "point").one("unit_energy");
  // Where the power falls from 6 W to 1.2 W the sample on the edge already shows the latter: half a triangle is lost.
  expectNear(points.value, truth_j, interior_j + (6 - 1.2) / RATE_HZ / 2);
  expectNear(points.value, truth_j, 2 * points.uncertainty!);
});

test("S7: a ripple beside the sampling rate; means see through it, instants take it for a slow swing", () => {
  const truth_j = scenario("S7").expect.E_J!;
  const { integrating_sampler_J, point_sampler_J } = scenario("S7").tol as unknown as Record<string, number>;
  const means = run("S7").one("unit_energy");
  expectNear(means.value, truth_j, integrating_sampler_J!);
  expect(means.flags).not.toContain("POINT_SAMPLER");
  // Nothing in the samples tells the alias from a real swing, so the stated uncertainty cannot hold it: the flag must.
  const points = run("S7", "point").one("unit_energy");
  expectNear(points.value, truth_j, point_sampler_J!);
  expect(points.flags).toContain("POINT_SAMPLER");
});

test("S9: a gap is estimated, bounded, flagged, and its request counts no more", () => {
  const { one, all, results } = run("S9");
  const { expect: truth, tol } = scenario("S9") as unknown as {
    expect: Record<string, number> & Record<`bounds_${string}`, number[]>;
    tol: { abs_J: number };
  };
  const decode = one("decode_energy");
  expectNear(decode.value, truth.decode_J_est!, tol.abs_J);
  expectNear(decode.coverage, truth.coverage!, 1e-6);
  expect(decode.flags).toEqual(["GAP", "COVERAGE", "TOKEN_IN_GAP", "INVALID"]);
  expect(results.summary).not.toHaveProperty("decode_energy");
  for (const end of [0, 1] as const) {
    expectNear(decode.bounds!.session[end], truth.bounds_session_J![end]!, tol.abs_J);
    expectNear(decode.bounds!.same_phase[end], truth.bounds_same_phase_J![end]!, tol.abs_J);
  }
  const tokens = all("token_energy");
  expect(tokens.filter(({ value }) => value === null).map(({ index }) => index)).toEqual([28]);
  expect(tokens.filter(({ flags }) => flags.includes("GAP")).map(({ index }) => index)).toEqual([28, 29]);
  expect(one("prefill_energy").flags).not.toContain("GAP");
});

test("S10: an analogue pole moves what the closed form says", () => {
  expectNear(run("S10").one("prefill_energy").value, scenario("S10").expect.prefill_meas_J!, prefill_j);
});
