import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMPONENTS } from "../../src/metrics/budget.ts";
import { FAULTS } from "../../src/model/errors.ts";
import { measurementNames, resultsOfEverything } from "./everything.ts";
import { named, rowsBelow } from "./pages.ts";

const PAGE = "docs/uncertainty.md";
const first = (heading: string): string[] => rowsBelow(PAGE, heading).flatMap(([cell]) => named(cell!));

test("components of the budget, and how requests share them", () => {
  const written = rowsBelow(PAGE, "The budget").map(([name, sharing]) => [named(name!)[0], sharing]);
  expect(Object.fromEntries(written)).toEqual(COMPONENTS);
});

test("every flag that the code can set, and no other", () => {
  expect(first("Flags").sort()).toEqual(flagsInCode());
});

test("every validity rule with its level, in order", () => {
  const rules = resultsOfEverything().validity;
  expect(rowsBelow(PAGE, "Validity rules").map(([rule, level]) => [named(rule!)[0], level])).toEqual(
    rules.map(({ rule, level }) => [rule, expect.stringContaining(level)]),
  );
});

test("every fault", () => {
  expect(first("Faults").sort()).toEqual(Object.keys(FAULTS).sort());
});

test("every quantity that results can hold", () => {
  const written = first("Names");
  expect(new Set(written).size).toBe(written.length);
  expect(written.sort()).toEqual(measurementNames());
});

/** Texts in capitals where flags are made: windows, metrics, live values, without the levels of the rules. */
function flagsInCode(): string[] {
  const files = [...sources("src/windows"), ...sources("src/metrics"), "src/session/live.ts"];
  const found = files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/"([A-Z][A-Z_]+)"/g)].map((match) => match[1]!));
  return [...new Set(found)].filter((each) => each !== "WARN" && each !== "FAIL").sort();
}

function sources(folder: string): string[] {
  return readdirSync(folder).map((name) => `${folder}/${name}`);
}
