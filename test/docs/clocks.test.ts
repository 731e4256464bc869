import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ArrivalEnvelope } from "../../src/clock/arrival-envelope.ts";
import { fitArrivals } from "../../src/clock/arrival-map.ts";
import { fitDevice } from "../../src/clock/device-clock.ts";
import { parsePong } from "../../src/wire/ping.ts";
import { parseClock, parseTie, RESPONDERS } from "../../src/wire/responder.ts";
import { examplesOf, named, proseOf, rowsBelow, textOf } from "./pages.ts";

const PAGE = "docs/clocks.md";

test("figures are names of tests", () => {
  const lines = rowsBelow(PAGE, "What is tested").map(([name]) => name!);
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

test("what a responder prints is understood, and every method has a row", () => {
  const [clock, pong, tie] = examplesOf(PAGE)
    .find(({ info }) => info === "jsonl responder")!
    .text.split("\n");
  expect(parseClock(clock!)?.method).toBe("python3");
  expect(parsePong(pong!)?.id).toBe(7);
  expect(Object.keys(parseTie(tie!)!)).toEqual(["realtimeFrom_s", "realtimeTo_s", "monotonic_s", "boottime_s"]);
  const rows = rowsBelow(PAGE, "Which clock answers?").flatMap(([method]) => named(method!));
  expect([...new Set(rows)]).toEqual([...new Set(RESPONDERS.map(({ method }) => method))]);
});
