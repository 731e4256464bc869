import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ArrivalEnvelope } from "../../src/clock/arrival-envelope.ts";
import { fitArrivals } from "../../src/clock/arrival-map.ts";
import { fitDevice } from "../../src/clock/device-clock.ts";
import { named, proseOf, rowsOf, textOf } from "./pages.ts";

const PAGE = "docs/clocks.md";

test("figures are names of tests", () => {
  const lines = rowsOf(PAGE).map(({ cells }) => cells[0]!);
  const tests = named(proseOf(PAGE))
    .filter((name) => name.endsWith(".test.ts"))
    .map((file) => readFileSync(file, "utf8"));
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.filter((line) => !tests.some((text) => text.includes(`("${line}"`)))).toEqual([]);
});

test("facts of both kinds of clock are named", () => {
  const spec = { nominal_hz: 1e6, limit_ppm: 500, latency_s: 0, u_latency_s: 0 };
  const facts = {
    ...fitDevice([], [], { source: "device", epoch: 0 }).segments[0]!.facts,
    ...fitArrivals(new ArrivalEnvelope(1e6), spec, "meter", 0).facts,
  };
  for (const key of Object.keys(facts)) expect(textOf(PAGE)).toContain(`\`${key}\``);
});
