import { expect, test } from "vitest";
import { parsers } from "../../src/parsers/index.ts";
import { jsonl, parseEvent } from "../../src/parsers/jsonl.ts";

const push = (line: string) => jsonl.open().push(line, 0);
const problem = (line: string): string => {
  const parsed = parseEvent(line);
  return "problem" in parsed ? parsed.problem : "none";
};

test("the list of parsers names it", () => {
  expect(parsers.map((parser) => parser.kind)).toContain("jsonl");
});

test.each([
  ['{"type":"request_start","request":"r1","time_s":2.0}', { type: "request_start", request: "r1", tick: 2 }],
  ['{"type":"first_token","request":"r1","time_s":3.2,"tokens":240}', { type: "first_token", request: "r1", tick: 3.2, tokens: 240 }],
  [' {"time_s":3.3,"tokens":1,"type":"token","request":"r1"}\r', { type: "token", request: "r1", tick: 3.3, tokens: 1 }],
  [
    '{"type":"request_end","request":"r1","time_s":13.2,"output_tokens":101}',
    { type: "request_end", request: "r1", tick: 13.2, outputTokens: 101 },
  ],
  ['{"type":"load_start","time_s":-0.5,"model":"llama"}', { type: "load_start", request: "", tick: -0.5, model: "llama" }],
  [
    '{"type":"unit_end","time_s":1e1,"unit":"image","count":8,"phase":"warm","correct":7}',
    { type: "unit_end", request: "", tick: 10, unit: "image", count: 8, phase: "warm", correct: 7 },
  ],
  ['{"type":"request_end","request":"r1","time_s":1,"text":"a remark of somebody else"}', { type: "request_end", request: "r1", tick: 1 }],
])("reads %s", (line, event) => {
  expect(push(line)).toEqual([event]);
});

test.each([
  ["", "expected a JSON object"],
  ["I/art: GC freed 12MB", "expected a JSON object"],
  ['{"type":"token","requ', "expected a JSON object"],
  ["null", "expected a JSON object"],
  ["[1]", "expected a JSON object"],
  ["{}", /^type: .*time_s: /],
  ['{"type":"pong","id":1}', /^type: expected one of "load_start"/],
  ['{"type":"token","request":"r1"}', "time_s: expected number, received undefined"],
  ['{"type":"token","request":"r1","time_s":"3.3"}', "time_s: expected number, received string"],
  ['{"type":"token","request":"r1","time_s":NaN}', "expected a JSON object"],
  ['{"type":"token","request":"r1","time_s":1e999}', /^time_s: /],
  ['{"type":"token","request":"r1","time_s":3.3,"tokens":-1}', /^tokens: /],
  ['{"type":"token","request":"r1","time_s":3.3,"tokens":1.5}', /^tokens: /],
  ['{"type":"token","request":"r1","time_s":3.3,"tokens":null}', /^tokens: /],
  ['{"type":"token","request":7,"time_s":3.3}', "request: expected string, received number"],
  ['{"type":"token","time_s":3.3}', "request: expected the name of the request"],
  ['{"type":"unit_end","time_s":3.3,"count":-2}', /^count: /],
])("refuses %s and says why", (line, why) => {
  expect(push(line)).toBeUndefined();
  if (typeof why === "string") expect(problem(line)).toBe(why);
  else expect(problem(line)).toMatch(why);
});

test("everything wrong with a line is said at once", () => {
  expect(problem('{"type":"token","request":7,"time_s":"x","tokens":-1}').split("; ")).toHaveLength(3);
});
