import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { JoulebenchError } from "../../src/model/errors.ts";
import { parsePlan } from "../../src/rig/plan.ts";
import { instrumentOf, parseRig, storedRig } from "../../src/rig/rig.ts";

const GOOD = `name: pi5
instruments:
  meter: { kind: bridge-ina219, port: /dev/ttyUSB0, shunt_ohm: 0.1 }
measurand: meter.main
`;

/** The lines of the one error that parsing throws. */
function problemsIn(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(JoulebenchError);
    expect(error).toMatchObject({ kind: "config" });
    return (error as Error).message.split("\n");
  }
  return [];
}

describe("a rig", () => {
  test("with the least it needs gets the defaults", () => {
    const rig = parseRig(GOOD, "pi5.yaml");
    expect(rig).toMatchObject({ name: "pi5", plan: { baseline_s: 10, timeout_s: 3600 }, sinks: {}, simulate: { seed: 1 } });
    expect(instrumentOf(rig, "meter")).toMatchObject({ kind: { kind: "bridge-ina219" }, options: { shunt_ohm: 0.1, rate_hz: 1000 } });
    expect(instrumentOf(rig, "meter").options).not.toHaveProperty("port");
  });

  test("may say of the emulated phone that it is local", () => {
    const rig = parseRig(`${GOOD}device: { emulated: phone, transport: { kind: local } }\n`, "pi5.yaml");
    expect(rig.device).toMatchObject({ emulated: "phone", transport: { kind: "local" } });
  });

  test("as a session stores it parses to itself", () => {
    for (const path of ["rigs/virtual.yaml"]) {
      const rig = parseRig(readFileSync(path, "utf8"), path);
      expect(storedRig(JSON.parse(JSON.stringify(rig)), "session.json")).toEqual(rig);
    }
  });

  test("with several mistakes tells all of them, in the order of its lines, with what was expected", () => {
    const text = `name: Bad Name
instruments:
  meter:
    kind: bridge-ina219
    shunt_ohm: -0.1
    ratehz: 1000
  other:
    kind: ina9000
    port: /dev/ttyUSB0
measurand: metre.main
device:
  command: [./x]
  emulated: phone
plan:
  baseline_s: ten
  timeout: 5
`;
    const [head, ...problems] = problemsIn(() => parseRig(text, "bench.yaml"));
    expect(head).toBe("bench.yaml: 9 problems");
    expect(problems).toEqual([
      expect.stringMatching(/^ {2}line 1: name: lower case letters, digits and dashes/),
      expect.stringMatching(/^ {2}line 3: instruments\.meter: expected `port: <path>`/),
      expect.stringMatching(/^ {2}line 5: instruments\.meter\.shunt_ohm: expected more than 0, found -0\.1/),
      expect.stringMatching(/^ {2}line 6: instruments\.meter\.ratehz: unknown key; is it misspelt\?/),
      expect.stringMatching(/^ {2}line 8: instruments\.other\.kind: .*bridge-ina219/),
      expect.stringMatching(/^ {2}line 10: measurand: no instrument is named metre; there are: meter, other/),
      expect.stringMatching(/^ {2}line 11: device: expected `command: .*not both/),
      expect.stringMatching(/^ {2}line 15: plan\.baseline_s: expected a number, found "ten"/),
      expect.stringMatching(/^ {2}line 16: plan\.timeout: unknown key/),
    ]);
  });

  test.each<[string, string, RegExp]>([
    ["nothing in it", "", /line 1: the file: is empty; `joulebench init` writes a rig/],
    ["no name", GOOD.replace("name: pi5", ""), /line 1: name: missing; expected text/],
    ["a list", "- a\n- b\n", /: 1 problem\n {2}line 1: the file: expected a map, found a list/],
    ["a key given twice", `${GOOD}name: again\n`, /line 5: Map keys must be unique/],
    ["an unknown channel", GOOD.replace("meter.main", "meter.usb"), /line 4: measurand: bridge-ina219 has no channel usb; it has: main/],
    [
      "a port and an emulation",
      GOOD.replace("shunt", "emulated: bridge-ina219, shunt"),
      /line 3: .*`port` and `emulated` exclude each other/,
    ],
    ["a measurand without a channel", GOOD.replace("meter.main", "meter"), /line 4: measurand: expected <instrument>\.<channel>/],
    ["brackets left open", "name: [a\n", /line \d: .*\]/],
    ["an alias without anchor", "name: *pi\n", /line 1: \*pi refers to no &pi before it/],
    ["aliases that unfold without end", bomb(), /line 1: Excessive alias count/],
    ["a negative time", `${GOOD}plan: { baseline_s: -1 }\n`, /line 5: plan\.baseline_s: expected at least 0, found -1/],
    ["an endless time", `${GOOD}plan: { timeout_s: .inf }\n`, /line 5: plan\.timeout_s: /],
    ["no workload", `${GOOD}device: {}\n`, /line 5: device: expected `command: /],
    [
      "an emulated phone behind adb",
      `${GOOD}device: { emulated: phone, transport: { kind: adb } }\n`,
      /line 5: device\.transport: the emulated phone runs on this machine and is not reached by adb; leave `transport` out, or `emulated`/,
    ],
    ["a program that shells take for an option", `${GOOD}device: { command: [-a, x] }\n`, /line 5: device\.command: .*dash/],
    ["a command without a program", `${GOOD}device: { command: [] }\n`, /line 5: device\.command: expected a program/],
    [
      "a command that is a shell line",
      `${GOOD}device: { command: ./run --all }\n`,
      /line 5: device\.command: expected a list, found "\.\/run --all"/,
    ],
    ["a number in quotes", GOOD.replace("0.1", '"0.1"'), /shunt_ohm: expected a number, found the text "0\.1"; leave the quotes out/],
    [
      "an unknown way to the device",
      `${GOOD}device: { command: [x], transport: { kind: shh } }\n`,
      /transport\.kind: expected one of local, adb, ssh, .*, found "shh"/,
    ],
    [
      "a way without a kind",
      `${GOOD}device: { command: [x], transport: { host: pi } }\n`,
      /transport\.kind: missing; expected one of local, adb/,
    ],
    ["brackets left open, told once", "name: pi5\ninstruments: { meter: { kind: x\n", /: 1 problem\n.*end with a }$/],
    ["a value left empty", GOOD.replace(" 0.1", ""), /shunt_ohm: expected a number, found nothing/],
    [
      "an unknown link",
      `${GOOD}device: { command: [x], link: wi-fi }\n`,
      /device\.link: expected one of usb, wifi, detached, found "wi-fi"/,
    ],
    ["an unknown sink", `${GOOD}sinks: { kafka: {} }\n`, /line 5: sinks\.kafka: unknown key/],
  ])("with %s is refused", (_, text, expected) => {
    expect(problemsIn(() => parseRig(text, "bench.yaml")).join("\n")).toMatch(expected);
  });
});

describe("a plan", () => {
  test("may be empty", () => {
    expect(parsePlan("", "plan.yaml")).toMatchObject({ baseline_s: 10, after_s: 5 });
  });

  test("with mistakes tells all of them", () => {
    const lines = problemsIn(() => parsePlan("requests: 2.5\nbaseline: 3\n", "plan.yaml"));
    expect(lines).toEqual([
      "plan.yaml: 2 problems",
      expect.stringMatching(/^ {2}line 1: requests: expected a whole number, found 2\.5/),
      expect.stringMatching(/^ {2}line 2: baseline: unknown key/),
    ]);
  });
});

/** A few lines that stand for millions of values. */
function bomb(): string {
  const levels = "bcdefgh".split("").map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefg"[i]}`).join(", ")}]`);
  return `a: &a [x, x, x, x, x, x, x, x, x]\n${levels.join("\n")}\n`;
}
