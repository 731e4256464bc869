import { describe, expect, test } from "vitest";
import { rowsOf } from "./pages.ts";
import { planKeys } from "./rig-keys.ts";

const rows = rowsOf("docs/plans.md").filter(({ heading }) => heading !== "What is written");

test("docs/plans.md has a row for every key of the schema, and no other", () => {
  const written = rows.map(({ heading, cells }) => `${heading}: ${cells[0]!.replaceAll("`", "")}`);
  expect(written.sort()).toEqual(
    planKeys()
      .map(({ heading, key }) => `${heading}: ${key}`)
      .sort(),
  );
});

describe("unit, values and default are those of the schema", () => {
  test.each(planKeys().map((each) => [`${each.heading} ${each.key}`, each] as const))(
    "%s",
    (_, { heading, key, unit, values, ...rest }) => {
      const row = rows.find((each) => each.heading === heading && each.cells[0] === `\`${key}\``)!;
      const [, writtenUnit, writtenValues, writtenDefault] = row.cells;
      expect([writtenValues, writtenDefault]).toEqual([values, rest.default]);
      if (unit !== undefined) expect(writtenUnit).toBe(unit);
    },
  );
});
