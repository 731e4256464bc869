import { describe, expect, test } from "vitest";
import { jsonl } from "../../src/parsers/jsonl.ts";
import { logcatJsonl } from "../../src/parsers/logcat-jsonl.ts";

const BEGIN = '{"request":"p1","begin":"process"}';
const TIMEOUT = '{"request":"p1","end":"timeout","detail":"it took longer than 3 s"}';
const logged = (event: object): string => `1700000000.100  1  2 I Bench: ${JSON.stringify(event)}`;

describe.each([
  ["jsonl", jsonl, (event: object) => JSON.stringify(event)],
  ["logcat-jsonl", logcatJsonl, logged],
] as const)("%s: a request that its driver gave up", (_, kind, line) => {
  const start = { type: "unit_start", time_s: 5, request: "p1", unit: "image" };

  test("ends then, as what it was begun as", () => {
    const parser = kind.open();
    expect(parser.sent!(BEGIN, 1e9)).toEqual([]);
    parser.push(line(start), 1.1e9);
    parser.push(line({ ...start, phase: "resize" }), 1.2e9);
    parser.push(line({ ...start, type: "unit_end", phase: "resize" }), 1.3e9);
    expect(parser.sent!(TIMEOUT, 4e9)).toEqual([
      { type: "unit_end", request: "p1", unit: "image", outcome: "timeout", tick: 4, clock: "host" },
    ]);
    expect(parser.sent!(TIMEOUT, 5e9)).toEqual([]);
  });

  test("has both its beginning and its end from the driver, where it said nothing itself", () => {
    const parser = kind.open();
    parser.sent!(BEGIN, 1e9);
    expect(parser.sent!(TIMEOUT, 4e9)).toMatchObject([
      { type: "request_start", request: "p1", tick: 1 },
      { type: "request_end", request: "p1", tick: 4, outcome: "timeout" },
    ]);
  });

  test("keeps the end that it told itself, and one that ended well needs none", () => {
    const parser = kind.open();
    parser.sent!(BEGIN, 1e9);
    parser.push(line(start), 1.1e9);
    parser.push(line({ ...start, type: "unit_end", outcome: "crash" }), 2e9);
    expect(parser.sent!('{"request":"p1","end":"crash"}', 4e9)).toEqual([]);
    parser.sent!('{"request":"p2","begin":"process"}', 5e9);
    expect(parser.sent!('{"request":"p2","end":"ok"}', 6e9)).toEqual([]);
  });
});
