import { describe, expect, test } from "vitest";
import { engines } from "../../src/engines/index.ts";
import { parseExperiment } from "../../src/rig/parse-experiment.ts";
import { parsePlan } from "../../src/rig/plan.ts";
import { parseYaml } from "../../src/rig/problems.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { Workload } from "../../src/rig/workload.ts";
import { examplesOf, pages, rowsOf } from "./pages.ts";
import { rigKeys } from "./rig-keys.ts";

const rows = rowsOf("docs/rig.md");

test("docs/rig.md has a row for every key of the schema, and no other", () => {
  const written = rows.map(({ heading, cells }) => `${heading}: ${cells[0]!.replaceAll("`", "")}`);
  expect(written.sort()).toEqual(
    rigKeys()
      .map(({ heading, key }) => `${heading}: ${key}`)
      .sort(),
  );
});

describe("unit, values and default are those of the schema", () => {
  test.each(rigKeys().map((each) => [`${each.heading} ${each.key}`, each] as const))("%s", (_, { heading, key, unit, values, ...rest }) => {
    const row = rows.find((each) => each.heading === heading && each.cells[0] === `\`${key}\``)!;
    const [, writtenUnit, writtenValues, writtenDefault] = row.cells;
    expect([writtenValues, writtenDefault]).toEqual([values, rest.default]);
    if (unit !== undefined) expect(writtenUnit).toBe(unit);
  });
});

describe("YAML examples", () => {
  const examples = pages.flatMap(examplesOf).filter(({ info }) => info.startsWith("yaml"));

  test("there are some", () => {
    expect(examples.length).toBeGreaterThan(3);
  });

  test.each(examples.map((each) => [`${each.page}:${each.line}`, each] as const))("%s", (where, { page, line, info, text }) => {
    if (info === "yaml plan") parsePlan(text, where);
    else if (info === "yaml experiment") {
      // The rig that stands before it on the page, where there is one.
      const rig = examples.findLast((each) => each.page === page && each.line < line && each.info === "yaml");
      expect(parseExperiment(text, where, parseRig(rig?.text ?? withRest(DEVICE), where)).cells.length).toBeGreaterThan(1);
    } else if (info === "yaml engine") expect(engineOf(parseYaml(text, where).value).success).toBe(true);
    else if (info === "yaml workload") Workload.parse(parseYaml(text, where).value);
    else if (info === "yaml part") parseRig(withRest(text), where);
    else parseRig(text, where);
  });
});

/** An engine's options, by its own schema. */
function engineOf(value: unknown) {
  const { kind, ...options } = value as Readonly<Record<string, unknown>>;
  return engines.find((each) => each.kind === kind)!.options.safeParse(options);
}

/** A device whose own program is the workload. */
const DEVICE = "device: { command: [workload] }\n";

/** A part of a rig, made whole by a bench without hardware. */
function withRest(part: string): string {
  const rest = {
    name: "name: bench",
    instruments: "instruments: { meter: { kind: bridge-ina219, emulated: bridge-ina219, shunt_ohm: 0.1 } }",
    measurand: "measurand: meter.main",
  };
  const missing = Object.entries(rest).filter(([key]) => !new RegExp(`^${key}:`, "m").test(part));
  return [part, ...missing.map(([, line]) => line)].join("\n");
}
