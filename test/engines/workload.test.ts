import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonl } from "../../src/parsers/jsonl.ts";
import { Bench, program } from "./bench.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench.close());

test("the same seed writes the same model, another seed another", () => {
  const [one, same, other] = [1, 1, 2].map((seed, at) => readFileSync(bench.model({ seed }, `${at}.gguf`)));
  expect(one?.equals(same!)).toBe(true);
  expect(one?.equals(other!)).toBe(false);
});

test("the workload with the real engine speaks the device protocol, and answers pings while it computes", async () => {
  const model = bench.model({ dim: 256, layers: 4 });
  const channel = await bench.transport.open([program("workload"), model, "2", "64"]);
  const lines: string[] = [];
  await channel.write("start");
  for await (const { text } of channel.lines) {
    lines.push(text);
    if (text.includes('"token"') && !lines.some((line) => line.includes("pong"))) await channel.write("ping 7");
    if (text.includes('"done"')) break;
  }
  await channel.close();
  const pong = lines.findIndex((line) => line.includes('"pong"'));
  expect(pong).toBeGreaterThan(0);
  expect(pong).toBeLessThan(lines.findIndex((line) => line.includes('"done"')));
  const parser = jsonl.open();
  const events = lines.flatMap((line) => parser.push(line, 0) ?? []);
  const tokens = events
    .filter(({ request, type }) => request === "r1" && type === "token")
    .reduce((sum, { tokens = 1 }) => sum + tokens, 1);
  expect(tokens).toBe(64);
  const ends = events.filter(({ type }) => type === "request_end").map(({ request, outputTokens }) => [request, outputTokens]);
  expect(ends).toEqual([
    ["r1", 64],
    ["r2", 64],
  ]);
  expect(events.every(({ stamps }) => (stamps?.realtime ?? 0) > 1.6e9)).toBe(true);
});
