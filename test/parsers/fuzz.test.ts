import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { LoggedEvent } from "../../src/model/parser.ts";
import { parsers } from "../../src/parsers/index.ts";
import { type Random, seeded } from "../../src/simulate/random.ts";
import { appRecords, llmFarmEvents, llmFarmTimings, mlcEvents } from "./app-files.ts";
import { type Heard, replay, sampleLines, stated } from "./replay.ts";

const NAMES = readdirSync(new URL("samples/", import.meta.url)).filter((name) => name.endsWith(".txt") && name !== "SOURCE.txt");
const LINES = [
  ...NAMES.flatMap((name) => sampleLines(name.replace(/\.txt$/, ""))),
  ...mlcEvents(seeded(1)),
  ...llmFarmEvents(seeded(2), { samples: true }),
  ...llmFarmTimings(),
  ...JSON.stringify(appRecords(), null, 1).split("\n"),
  '{"type":"token","request":"r1","time_s":3.3,"tokens":1}',
  '11-21 00:28:04.123  1234  5678 I joulebench: {"type":"token","request":"r1","time_s":3.3,"tokens":1}',
];
const VALUES = ["NaN", "null", "-1", "1e308", "1e999", "9007199254740993", '"x"', "[]", "{}", "0", "-0.0", "inf", "", "true"];
const STATEMENTS = [
  { request: "r", begin: "completion" },
  { request: "r", begin: "process", argv: ["--no-display-prompt", "--ignore-eos"], prompt_tokens: 3, output_tokens: 9 },
  { request: "b", begin: "bench", argv: ["-r", "0"] },
  { request: "r", end: "ok" },
  { request: "r", end: "crash" },
  { load: "begin", model: "m" },
  { load: "end" },
];

const pick = <T>(list: readonly T[], random: Random): T => list[Math.floor(random() * list.length)]!;

/** A line cut off, run into another, with another number, a byte gone, or as it was. */
function mutated(line: string, random: Random): string {
  const at = Math.floor(random() * (line.length + 1));
  const ways = [
    () => line,
    () => line.slice(0, at),
    () => line.slice(at),
    () => line.slice(0, at) + pick(LINES, random),
    () => line.slice(0, at) + line.slice(at + 1),
    () => line.replace(/-?\d+(?:\.\d+)?/, pick(VALUES, random)),
    () => line.replaceAll(/\d+(?:\.\d+)?/g, () => (random() < 0.2 ? pick(VALUES, random) : "7")),
    () => line.slice(0, at) + String.fromCharCode(Math.floor(random() * 0x2fff)) + line.slice(at),
  ];
  return pick(ways, random)();
}

function heard(random: Random, count: number): Heard[] {
  let at_s = 0;
  let k = Math.floor(random() * LINES.length);
  return Array.from({ length: count }, () => {
    at_s += random() * 0.01;
    if (random() < 0.03) return stated(pick(STATEMENTS, random), at_s);
    // Mostly in order, so that the parsers get somewhere.
    k = random() < 0.02 ? Math.floor(random() * LINES.length) : (k + 1) % LINES.length;
    return { line: random() < 0.3 ? mutated(LINES[k]!, random) : LINES[k]!, at_s };
  });
}

const isCount = (value: number | undefined): boolean => value === undefined || (Number.isSafeInteger(value) && value >= 0);

/** What holds for every event, whatever was read. */
function check({ type, request, tick, tokens, outputTokens, cachedTokens, count, clock, log }: LoggedEvent): void {
  expect(Number.isFinite(tick), `${type} at ${tick}`).toBe(true);
  expect([tokens, outputTokens, cachedTokens, count].every(isCount), JSON.stringify({ type, tokens, outputTokens, count })).toBe(true);
  if (type === "token") expect(tokens ?? 1).toBeGreaterThan(0);
  expect(typeof request).toBe("string");
  expect(log !== undefined).toBe(clock === "log");
}

describe.each(parsers.map((parser) => [parser.kind, parser] as const))("%s, whatever comes", (_, kind) => {
  test.each([11, 12, 13, 14])("reads what it can, throws nothing, and leaves no event that cannot be (seed %i)", (seed) => {
    const { events } = replay(kind, heard(seeded(seed), 4000));
    for (const event of events) check(event);
    // What a parser places does not run back, whatever became of the lines between; what a log stamps may.
    const latest = new Map<string, number>();
    for (const { type, request, clock, log, tick } of events) {
      if (kind.kind.endsWith("jsonl") || clock === "log" || type.startsWith("load_") || type.startsWith("unit_")) continue;
      const key = `${request} ${clock} ${log}`;
      if (type !== "request_start") expect(tick, `${type} of ${key}`).toBeGreaterThanOrEqual(latest.get(key) ?? Number.NEGATIVE_INFINITY);
      latest.set(key, tick);
    }
  });

  test("a long line is answered in no time that matters", () => {
    const parser = kind.open();
    const begun_ns = process.hrtime.bigint();
    for (const letter of [" ", "a", "{", '"', ":", "1", "|", ".", ",", "'", "\t", "\\"]) parser.push(letter.repeat(65_536), 1e9);
    expect(Number(process.hrtime.bigint() - begun_ns) / 1e9).toBeLessThan(2);
  });
});
