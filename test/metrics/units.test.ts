import { expect, test } from "vitest";
import { generic } from "../../src/importers/generic.ts";
import { analyze } from "../../src/metrics/analyze.ts";
import type { Results } from "../../src/model/results.ts";
import { phases } from "../../src/windows/phases.ts";

/** Results at 1 W throughout, so that joules are seconds. */
function resultsOf(events: readonly object[]): Results {
  const files = {
    "power.csv": ["time_s,power_w", ...Array.from({ length: 200 }, (_, k) => `${(k + 1) / 10},1`)].join("\n"),
    "events.jsonl": events.map((each) => JSON.stringify(each)).join("\n"),
    "rig.json": JSON.stringify({ rate_hz: 10, idle: [[0, 1]] }),
  };
  const recording = generic.decode(Object.entries(files).map(([name, text]) => ({ name, bytes: new TextEncoder().encode(text) })));
  return analyze("s", recording, phases(recording.events, recording.maps).windows);
}

const unit = (from_s: number, to_s: number, more: object): object[] => [
  { type: "unit_start", time_s: from_s, ...more },
  { type: "unit_end", time_s: to_s, ...more },
];

const question = (from_s: number, to_s: number, correct: number): object[] =>
  unit(from_s, to_s, { unit: "question", request: `q${from_s}`, correct });

test("what wrong answers cost counts for the correct ones", () => {
  const { summary, measurements } = resultsOf([...question(2, 3, 1), ...question(4, 7, 0), ...question(8, 9, 1), ...question(10, 11, 0)]);
  expect(summary.energy_per_correct_answer).toMatchObject({ value: expect.closeTo(6 / 2, 6), n: 4 });
  expect(measurements.filter(({ name }) => name === "energy_per_correct_answer").map(({ request }) => request)).toEqual(["q2", "q8"]);
});

test("without a correct answer there is no energy of one", () => {
  expect(resultsOf([...question(2, 3, 0), ...question(4, 5, 0)]).summary).not.toHaveProperty("energy_per_correct_answer");
});

test("the share of right answers has Wilson's interval, which is not empty where all are right", () => {
  const wilson = (right: number, asked: number): object => {
    const events = Array.from({ length: asked }, (_, k) => question(2 + 0.1 * k, 2.1 + 0.1 * k, k < right ? 1 : 0)).flat();
    return resultsOf(events).summary.accuracy!;
  };
  // Ends of the interval as R's prop.test(x, n, correct = FALSE) gives them: 0.7 of 50 is 0.5625…0.8090, 20 of 20 is 0.8389…1.
  expect(wilson(35, 50)).toMatchObject({ value: 0.7, unit: "1", n: 50, expanded_uncertainty: expect.closeTo(0.7 - 0.5625, 3) });
  expect(wilson(20, 20)).toMatchObject({ value: 1, n: 20, expanded_uncertainty: expect.closeTo(1 - 0.8389, 3) });
});

test("a phase inside a unit is a stage of it, and one that stands alone is a unit", () => {
  const image = { unit: "image", request: "i1" };
  const [start, end] = unit(2, 8, image);
  const head = unit(3, 5, { unit: "image", phase: "head" });
  const { summary, faults } = resultsOf([start!, ...head, end!, ...unit(10, 11, { unit: "image", request: "i2", phase: "head" })]);
  expect(summary.unit_energy).toMatchObject({ value: expect.closeTo((6 + 1) / 2, 6), n: 2 });
  expect(summary["energy_per_unit:head"]).toMatchObject({ value: expect.closeTo(2, 6), n: 1 });
  expect(summary["time_per_unit:head"]).toMatchObject({ value: expect.closeTo(2, 6) });
  expect(faults).toEqual([]);
});

test("stages after a warm-up that died are measured", () => {
  const [died] = unit(2, 4, { unit: "image", request: "warmup-1" });
  const [start, end] = unit(5, 9, { unit: "image", request: "i1" });
  const { summary } = resultsOf([died!, start!, ...unit(6, 8, { unit: "image", phase: "head" }), end!]);
  expect(summary["energy_per_unit:head"]).toMatchObject({ value: expect.closeTo(2, 6), n: 1 });
});

test("stages of a warm-up are not measured", () => {
  const [start, end] = unit(2, 4, { unit: "image", request: "warmup-1" });
  const { summary } = resultsOf([
    start!,
    ...unit(2.5, 3, { unit: "image", phase: "head" }),
    end!,
    ...unit(5, 6, { unit: "image", request: "i1" }),
  ]);
  expect(summary.unit_energy).toMatchObject({ n: 1 });
  expect(Object.keys(summary).filter((name) => name.includes(":"))).toEqual([]);
});
