import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { scratch } from "../e2e/bench.ts";
import { joulebench } from "../e2e/joulebench.ts";

/*
 * Files of other people with something wrong in them, through `import generic`. What cannot be read is refused with
 * file, line and expectation, and leaves nothing behind; what can be read but not believed is a fault of the session.
 */

vi.setConfig({ testTimeout: 60_000 });

const POWER = `time_s,power_w\n${Array.from({ length: 400 }, (_, k) => `${((k + 1) / 20).toFixed(2)},${k % 40 < 20 ? 4 : 2}`).join("\n")}\n`;

type Event = Readonly<Record<string, string | number>>;

/** A request of one second of prefill and ten tokens, from `t` on. */
const request = (name: string, t: number): Event[] => [
  { type: "request_start", request: name, time_s: t },
  { type: "first_token", request: name, time_s: t + 1, tokens: 10 },
  ...Array.from({ length: 10 }, (_, k) => ({ type: "token", request: name, time_s: t + 1 + (k + 1) / 10, tokens: 1 })),
  { type: "request_end", request: name, time_s: t + 2 },
];

const EVENTS = [1, 4, 7, 10, 13, 16].flatMap((t, k) => request(`r${k + 1}`, t));
const lines = (events: readonly Event[]): string => events.map((each) => `${JSON.stringify(each)}\n`).join("");

type Finish = (end: () => void) => void;

async function importing(files: { power?: string; events?: string }, onTestFinished: Finish) {
  const { dir, remove } = scratch();
  onTestFinished(remove);
  mkdirSync(join(dir, "given"));
  writeFileSync(join(dir, "given/power.csv"), files.power ?? POWER);
  writeFileSync(join(dir, "given/events.jsonl"), files.events ?? lines(EVENTS));
  const ended = await joulebench(["import", "generic", "given", "--out", "session"], { cwd: dir });
  return { ...ended, session: join(dir, "session") };
}

describe.concurrent("a CSV that cannot be read is refused, with file, line and expectation", () => {
  const row = (n: number, text: string): string =>
    POWER.split("\n")
      .with(n - 1, text)
      .join("\n");
  test.for<[string, string, RegExp]>([
    [
      "several mistakes at once",
      row(5, "0.20,2.o").replace("0.45,4", "0.44;4"),
      /2 problems\n {2}power\.csv:5: .*2\.o.*\n {2}power\.csv:10: /,
    ],
    ["a column that is missing", POWER.replace("power_w", "watts"), /power\.csv(:1)?: .*power_w/],
    ["NaN", row(5, "0.20,NaN"), /power\.csv:5: .*NaN/],
    ["times that run back", row(5, "0.10,2"), /power\.csv:5: .*0\.1/],
    ["a time given twice", row(5, "0.15,2"), /power\.csv:5: .*0\.15/],
    ["nothing", "", /power\.csv(:1)?: /],
  ])("%s", async ([, power, message], { onTestFinished }) => {
    const { code, stdout, stderr, session } = await importing({ power }, onTestFinished);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^joulebench: generic import: /);
    expect(existsSync(session)).toBe(false);
  });
});

describe.concurrent("what spreadsheets do to a CSV does no harm", () => {
  test("a byte order mark and CRLF", async ({ onTestFinished }) => {
    const plain = await importing({}, onTestFinished);
    const windows = await importing({ power: `\ufeff${POWER.replaceAll("\n", "\r\n")}` }, onTestFinished);
    expect([windows.code, windows.stdout]).toEqual([0, plain.stdout]);
    expect(windows.stdout).toMatch(/decode per token\s+\d/);
  });
});

describe.concurrent("events that do not fit are faults of the session, and their requests do not count", () => {
  const without = (drop: (each: Event) => boolean): Event[] => EVENTS.filter((each) => !drop(each));
  const inR3 = (each: Event, type: string): boolean => each.request === "r3" && each.type === type;
  const tokens = EVENTS.filter((each) => inR3(each, "token"));
  const swapped = EVENTS.map((each) => (each === tokens[4] ? { ...each, time_s: Number(tokens[2]!.time_s) - 0.01 } : each));

  test.for<[string, Event[], string, number]>([
    ["an end without a start", without((each) => inR3(each, "request_start")), "unpaired_event", 5],
    ["a start without an end", without((each) => inR3(each, "request_end")), "unpaired_event", 5],
    ["a token that came twice", EVENTS.flatMap((each) => (each === tokens[3] ? [each, each] : [each])), "duplicate_event", 5],
    ["token times that run back", swapped, "late_event", 5],
  ])("%s", async ([, events, fault, valid], { onTestFinished }) => {
    const { code, stderr, session } = await importing({ events: lines(events) }, onTestFinished);
    expect([code, stderr]).toEqual([0, "session kept in session\n"]);
    const results = JSON.parse(readFileSync(join(session, "results.json"), "utf8")) as Results;
    expect(results.faults.map((each) => each.code)).toContain(fault);
    expect(results.validity.find((each) => each.rule === "events")).toMatchObject({ pass: false });
    const n = results.summary.decode_energy_per_token!.n;
    expect(n).toBeGreaterThanOrEqual(valid);
    expect(results.summary.decode_energy_per_token!.value).toBeCloseTo(0.3, 1);
    expect(readFileSync(join(session, "events.jsonl"), "utf8").trimEnd().split("\n")).toHaveLength(events.length);
  });

  test("a line that is no JSON is refused with its number", async ({ onTestFinished }) => {
    const { code, stderr, session } = await importing({ events: `${lines(EVENTS)}{"type":"tok\n` }, onTestFinished);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`events\\.jsonl:${EVENTS.length + 1}: `));
    expect(existsSync(session)).toBe(false);
  });
});
