import { expect, test } from "vitest";
import { generic } from "../../src/importers/generic.ts";
import { integrate } from "../importers/integrate.ts";
import { render, scenario } from "./render.ts";

const energy_j = (id: string, rate_hz: number, from_s: number, to_s: number) =>
  integrate(generic.decode(render(id, rate_hz)), from_s, to_s).energy_j;
const shift_s = scenario("S3").shift_s;

// Rendering and importing alone, before any metric: windows that begin and end between samples are exact.
test.each([
  { id: "S1", rate_hz: 5000, window: [2, 12], expected_j: scenario("S1").expect.decode_J },
  { id: "S2", rate_hz: 1000, window: [2, 3.2], expected_j: scenario("S2").expect.prefill_J },
  { id: "S2", rate_hz: 10, window: [3.2, 13.2], expected_j: scenario("S2").expect.decode_J },
  { id: "S4", rate_hz: 100, window: [1, 21], expected_j: scenario("S4").expect.total_J },
  { id: "S5", rate_hz: 100, window: [0, 100], expected_j: scenario("S5").expect.total_J },
  { id: "S6", rate_hz: 10, window: [1, 61], expected_j: scenario("S6").expect.E_J },
  { id: "S10", rate_hz: 1000, window: [2, 3.2], expected_j: scenario("S10").expect.prefill_meas_J },
])("$id at $rate_hz Hz holds its energy", ({ id, rate_hz, window, expected_j }) => {
  expect(energy_j(id, rate_hz, ...(window as [number, number]))).toBeCloseTo(expected_j!, 9);
});

test("S3 keeps its total and loses at its edges what its tolerance allows", () => {
  expect(energy_j("S3", 1000, 1, 15)).toBeCloseTo(1.2 * 2.8 + 10.8 + 50, 9);
  const error_j = energy_j("S3", 1000, 2 + shift_s, 3.2 + shift_s) - 10.8;
  expect(Math.abs(error_j)).toBeGreaterThan(1e-4);
  expect(Math.abs(error_j)).toBeLessThan(0.00295);
});

test("S9 has lost exactly its gap", () => {
  const recording = generic.decode(render("S9", 1000));
  expect(integrate(recording, 3.2, 13.2)).toEqual({ energy_j: expect.closeTo(49.25, 9), covered_s: expect.closeTo(9.85, 9) });
  expect(recording.faults).toMatchObject([{ code: "gap", count: 1, at_s: 6, detail: "150 samples missing before 6.151 s" }]);
  expect([...recording.blocks()].map(({ lostBefore }) => lostBefore).filter((lost) => lost > 0)).toEqual([150]);
});
