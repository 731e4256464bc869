import { describe, expect, test } from "vitest";
import { generic } from "../../src/importers/generic.ts";
import { render, scenario } from "../scenarios/render.ts";
import { type Measured, measured } from "./measured.ts";

const run = (id: string, rate_hz: number): Measured => measured(generic.decode(render(id, rate_hz)));
/** Sampling alone: half of what a step of this many watts can hide in one sample, science.md 2.1. */
const edge_j = (steps_w: number, rate_hz: number) => steps_w / rate_hz / 4;

function expectNear(found: number | null, expected: number, tolerance: number): void {
  expect(Math.abs((found ?? Number.NaN) - expected)).toBeLessThanOrEqual(tolerance);
}

describe.each([5000, 1000, 100, 10])("at %i Hz", (rate_hz) => {
  test("S1: a constant is exact, in sum and token by token", () => {
    const { one, all } = run("S1", rate_hz);
    expectNear(one("decode_energy").value, 50, 1e-9);
    expectNear(one("decode_energy_per_token").value, 0.5, 1e-9);
    expect(all("token_energy")).toHaveLength(100);
    for (const { value } of all("token_energy")) expectNear(value, 0.5, 1e-9);
  });

  test.each(["S2", "S3"])("%s: prefill, decode, request, idle and times", (id) => {
    const { one } = run(id, rate_hz);
    const { expect: truth, tol } = scenario("S2");
    const prefill_j = tol.prefill_J_at[`${rate_hz}Hz`]!;
    const decode_j = tol.decode_J_at[`${rate_hz}Hz`]!;
    const request_j = edge_j(7.8 + 3.8, rate_hz);
    expectNear(one("prefill_energy").value, truth.prefill_J!, prefill_j);
    expectNear(one("prefill_energy_per_prompt_token").value, truth.prefill_J_per_prompt_token!, prefill_j / 240);
    expectNear(one("decode_energy").value, truth.decode_J!, decode_j);
    expectNear(one("decode_energy_per_token").value, truth.decode_J_per_token!, decode_j / 100);
    expectNear(one("request_energy").value, truth.total_J!, request_j);
    expectNear(one("request_energy_per_output_token").value, truth.total_J_per_output_token!, request_j / 101);
    expectNear(one("idle_power").value, truth.idle_W!, 1e-9);
    expectNear(one("prefill_energy_net").value, truth.prefill_net_J!, prefill_j);
    expectNear(one("decode_energy_net").value, truth.decode_net_J!, decode_j);
    expectNear(one("decode_energy_per_token_net").value, truth.decode_net_J_per_token!, decode_j / 100);
    expectNear(one("request_energy_per_output_token_net").value, truth.total_net_J_per_output_token!, request_j / 101);
    expectNear(one("ttft").value, truth.TTFT_s!, 1e-9);
    expectNear(one("tpot").value, truth.TPOT_s!, 1e-9);
    expectNear(one("e2e_latency").value, truth.E2E_s!, 1e-9);
    expectNear(one("decode_energy").coverage, 1, 1e-12);
    expect(one("decode_energy").flags).not.toContain("GAP");
  });

  test("S3: tokens add up to their decode, phases to their request", () => {
    const { one, all } = run("S3", rate_hz);
    const tokens_j = all("token_energy").reduce((sum, { value }) => sum + value!, 0);
    expect(all("token_energy")).toHaveLength(100);
    expectNear(tokens_j, one("decode_energy").value!, 1e-9);
    expectNear(one("prefill_energy").value! + one("decode_energy").value!, one("request_energy").value!, 1e-9);
  });

  test("S10: an analogue pole moves what the closed form says", () => {
    const tolerance_j = edge_j(7.8 + 4, rate_hz);
    expectNear(run("S10", rate_hz).one("prefill_energy").value, scenario("S10").expect.prefill_meas_J!, tolerance_j);
  });
});

test.each([5000, 1000, 100])("S4 at %i Hz: square tokens", (rate_hz) => {
  const { one, all } = run("S4", rate_hz);
  const { expect: truth } = scenario("S4");
  expectNear(one("decode_energy").value, truth.total_J!, edge_j(6.8 + 1.8, rate_hz));
  expectNear(one("decode_energy_per_token").value, truth.J_per_token!, edge_j(6.8 + 1.8, rate_hz) / 250);
  expectNear(one("decode_mean_power").value, truth.mean_W!, edge_j(6.8 + 1.8, rate_hz) / 20);
  expect(all("token_energy")).toHaveLength(250);
  for (const { value } of all("token_energy")) expectNear(value, truth.J_per_token!, edge_j(10 + 6.8, rate_hz));
});

test.each([1000, 100, 10])("S5 at %i Hz: a ramp, token by token", (rate_hz) => {
  const { one, all } = run("S5", rate_hz);
  expectNear(one("decode_energy").value, scenario("S5").expect.total_J!, 1e-9);
  expect(all("token_energy")).toHaveLength(1000);
  for (const { value, index } of all("token_energy")) expectNear(value, 0.1 * (4 + 0.02 * (0.1 * index! + 0.05)), 1e-9);
  expectNear(all("token_energy").find(({ index }) => index === 500)!.value, scenario("S5").expect.token_500_J!, 1e-9);
});

test.each([1000, 100, 10])("S6 at %i Hz: an exponential warm-up", (rate_hz) => {
  expectNear(run("S6", rate_hz).one("unit_energy").value, scenario("S6").expect.E_J!, 0.156 / rate_hz ** 2);
});

test.each([5000, 1000, 100])("S9 at %i Hz: a gap is estimated, bounded, flagged, and its request counts no more", (rate_hz) => {
  const { one, all, results } = run("S9", rate_hz);
  const { expect: truth } = scenario("S9");
  const decode = one("decode_energy");
  expectNear(decode.value, truth.decode_J_est!, 1e-3);
  expectNear(decode.coverage, truth.coverage!, 1e-6);
  expect(decode.flags).toEqual(["GAP", "COVERAGE", "TOKEN_IN_GAP", "INVALID"]);
  expectNear(decode.bounds!.session[0], 49.43, 1e-3);
  expectNear(decode.bounds!.session[1], 50.6, 1e-3);
  expectNear(decode.bounds!.same_phase[0], 50, 1e-3);
  expectNear(decode.bounds!.same_phase[1], 50, 1e-3);
  expect(results.faults.map(({ code }) => code)).toEqual(["gap"]);
  const tokens = all("token_energy");
  expect(tokens.find(({ index }) => index === 28)).toMatchObject({ value: null, uncertainty: null, coverage: 0 });
  expect(tokens.filter(({ value }) => value === null)).toHaveLength(1);
  expect(tokens.filter(({ flags }) => flags.includes("GAP")).map(({ index }) => index)).toEqual([28, 29]);
  expect(one("prefill_energy").flags).toEqual([]);
  expect(one("request_energy").flags).toEqual(["GAP", "COVERAGE", "TOKEN_IN_GAP", "INVALID"]);
  expect(results.summary).not.toHaveProperty("decode_energy");
  expect(results.summary).not.toHaveProperty("request_energy");
});

test("S11 at 10 Hz: a day loses nothing, and its last 80 ms are still there", () => {
  const { one } = run("S11", 10);
  const { E_J, last_80ms_J } = scenario("S11").expect;
  expectNear(one("unit_energy", "day").value, E_J!, 1e-12 * E_J!);
  expectNear(one("unit_energy", "last 80 ms").value, last_80ms_J!, 1e-9);
});
