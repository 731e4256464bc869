import { expect, test } from "vitest";
import { CONDITIONS } from "../../evaluate/conditions.ts";
import { evaluateCondition, population, WIDEST } from "../../evaluate/trials.ts";

const TRIALS = 60;

/**
 * A small share of `npm run evaluate:montecarlo`: the condition in which most components show. Of so few trials the
 * observed coverage is uncertain by 2.5 points and the half-width of the errors by a tenth, so that three times as much
 * is allowed: what this finds is a component that is forgotten, or off by its half.
 */
test("the truth lies inside the stated interval about as often as the budget predicts", { timeout: 120_000 }, () => {
  const lossy = CONDITIONS.find(({ name }) => name === "lossy")!;
  const rows = evaluateCondition(lossy, TRIALS, population(1000));
  expect(rows.length).toBeGreaterThanOrEqual(19);
  for (const { name, measurand, coverage } of rows) {
    const { observed, predicted, width } = coverage;
    const what = `${name} (${measurand}): ${observed} inside, ${predicted} predicted, width ${width}`;
    expect(predicted - observed, what).toBeLessThanOrEqual(0.02 + 3 * Math.sqrt((predicted * (1 - predicted)) / TRIALS));
    expect(width, what).toBeLessThan(WIDEST + 0.4);
  }
});
