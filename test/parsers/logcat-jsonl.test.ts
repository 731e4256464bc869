import { describe, expect, test } from "vitest";
import { jsonl } from "../../src/parsers/jsonl.ts";
import { logcatJsonl } from "../../src/parsers/logcat-jsonl.ts";
import { cut, evenly, only, replay } from "./replay.ts";

const EVENT = '{"type":"token","request":"r1","time_s":3.3,"tokens":1}';

test.each([
  ["threadtime", `11-21 00:28:04.123  1234  5678 I joulebench: ${EVENT}`],
  ["epoch", `         1763684884.123  1234  5678 I joulebench: ${EVENT}`],
  ["monotonic", `        12.345  1234  5678 D joulebench: ${EVENT}`],
  ["threadtime with year and zone", `2026-11-21 00:28:04.123456 +0100  1234  5678 I joulebench: ${EVENT}`],
  ["with the user", `11-21 00:28:04.123 u0_a123  1234  5678 I joulebench: ${EVENT}`],
  ["a tag that is filled up", `11-21 00:28:04.123  1234  5678 I jb      : ${EVENT}`],
])("an event in a line of logcat -v %s has its own stamp", (_, line) => {
  expect(logcatJsonl.open().push(line, 9e9)).toEqual([{ type: "token", request: "r1", tick: 3.3, tokens: 1 }]);
});

test.each([
  ["a buffer's beginning", "--------- beginning of main", []],
  ["another app", "11-21 00:28:04.123  1234  5678 W art: GC freed 12MB", []],
  ["another app's object", '11-21 00:28:04.123  1234  5678 I net: {"type":"get","ms":3}', []],
  ["half of ours", '11-21 00:28:04.123  1234  5678 I joulebench: {"type":"token","requ', undefined],
  ["ours with a wrong value", '11-21 00:28:04.123  1234  5678 I joulebench: {"type":"token","request":"r","time_s":"3"}', undefined],
  ["half a prefix", "11-21 00:28:0", undefined],
  ["no prefix", EVENT, undefined],
])("%s", (_, line, read) => {
  expect(logcatJsonl.open().push(line, 9e9)).toEqual(read);
});

/** A request with a token every 10 ms; two tokens share the stamp 1.05. */
const LINES = [
  '{"type":"request_start","request":"r1","time_s":1}',
  '{"type":"first_token","request":"r1","time_s":1.02,"tokens":8}',
  ...[1.03, 1.04, 1.05, 1.05, 1.06, 1.07].map((time_s) => `{"type":"token","request":"r1","time_s":${time_s},"tokens":1}`),
  '{"type":"request_end","request":"r1","time_s":1.08,"output_tokens":7}',
];
const NEXT = LINES.map((line) => line.replace("r1", "r2").replace(/"time_s":1/, '"time_s":2'));
const inLogcat = (lines: readonly string[]) => lines.map((line) => `11-21 00:28:04.123  1234  5678 I joulebench: ${line}`);

describe.each([
  ["jsonl", jsonl, (lines: readonly string[]) => lines],
  ["logcat-jsonl", logcatJsonl, inLogcat],
] as const)("%s: a log that is followed through its rotation", (_, kind, dress) => {
  const events = (lines: readonly string[]) => replay(kind, evenly(dress(lines)));

  test.each([
    ["the whole of it", 0, 9],
    ["from the middle of a request", 4, 9],
    ["from one of two equal lines", 5, 9],
    ["a part, and then what is new", 0, 3],
    ["the last line but one", 7, 9],
  ])("read again: %s", (_, from, to) => {
    const { events: read, unread } = events([...LINES, ...LINES.slice(from, to), ...NEXT]);
    expect(unread).toEqual([]);
    const { windows, faults } = cut(read);
    expect(faults).toEqual([]);
    expect(windows.filter(({ phase }) => phase === "request").map(({ request, tokens, flags }) => [request, tokens, flags])).toEqual([
      ["r1", 7, []],
      ["r2", 7, []],
    ]);
  });

  test("read again in the middle of a request", () => {
    const { windows, faults } = cut(events([...LINES.slice(0, 7), ...LINES]).events);
    expect(faults).toEqual([]);
    expect(only(windows, "request")).toMatchObject({ tokens: 7, flags: [] });
  });

  test("a beginning in the middle loses the request it is in, and no other", () => {
    const { windows, faults } = cut(events([...LINES.slice(4), ...NEXT]).events);
    expect(faults.map(({ code }) => code)).toEqual(["unpaired_event"]);
    expect(only(windows, "request")).toMatchObject({ request: "r2", tokens: 7 });
  });

  test("half a line is unread, and its token is missed", () => {
    const cutOff = LINES.map((line, k) => (k === 6 ? line.slice(0, 30) : line));
    const { events: read, unread } = events(cutOff);
    expect(unread).toHaveLength(1);
    expect(only(cut(read).windows, "request").flags).toEqual(["TOKEN_COUNT_MISMATCH"]);
  });

  test("equal lines behind one that is stamped too late are no second reading", () => {
    const late = '{"type":"token","request":"r9","time_s":1e6,"tokens":1}';
    const { events: read } = events([late, ...LINES]);
    expect(read.filter(({ request }) => request === "r1")).toHaveLength(9);
  });
});
