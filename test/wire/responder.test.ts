import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ClockTie, forkBias, parseClock, parseTie, RESPONDERS, type ResponderClock, UNABLE } from "../../src/wire/responder.ts";
import { Responding, widthOf } from "./responding.ts";

const [PYTHON, SHELL, , , DATE] = RESPONDERS.map(({ argv }) => argv);
const SHELL_TEXT = SHELL!.at(-1)!;
const DATE_TEXT = DATE!.at(-1)!;
/** A double near 1.8e9 s is 0.24 us coarse. */
const REALTIME_STEP_S = 5e-7;

const folder = mkdtempSync(join(tmpdir(), "joulebench-responder-"));
const path = (program: string): string => `${join(folder, program)}${delimiter}${process.env.PATH}`;
const EPOCHREALTIME: ResponderClock = {
  clock: "realtime",
  method: "epochrealtime",
  resolution_s: 1e-6,
  forks: false,
  ties: ["realtime", "boottime"],
};
const WITH_DATE: ResponderClock = { ...EPOCHREALTIME, method: "date", resolution_s: 1e-9, forks: true };
const WITH_PYTHON: ResponderClock = {
  clock: "boottime",
  method: "python3",
  resolution_s: 1e-9,
  forks: false,
  ties: ["realtime", "monotonic", "boottime"],
};

/** Name, what is run, what it says of itself, what runs as `date`. */
const VARIANTS: readonly (readonly [string, readonly string[], ResponderClock, string | undefined])[] = [
  ["python3", PYTHON!, WITH_PYTHON, undefined],
  ["mksh", ["mksh", "-c", SHELL_TEXT], EPOCHREALTIME, undefined],
  ["bash", ["bash", "-c", SHELL_TEXT], EPOCHREALTIME, undefined],
  ["busybox", ["busybox", "sh", "-c", SHELL_TEXT], EPOCHREALTIME, undefined],
  ["dash with GNU date", ["dash", "-c", DATE_TEXT], WITH_DATE, undefined],
  ["dash with toybox date", ["dash", "-c", DATE_TEXT], WITH_DATE, "toybox"],
];

const open: Responding[] = [];
async function start(argv: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Responding> {
  const responding = await Responding.start(argv, environment);
  open.push(responding);
  return responding;
}

/** Reads this host's own clocks. */
let reference: Responding;
beforeAll(async () => {
  reference = await Responding.start(PYTHON!);
  await reference.clock();
  for (const program of ["toybox", "busybox"]) {
    mkdirSync(join(folder, program));
    symlinkSync(`/usr/bin/${program}`, join(folder, program, "date"));
  }
});
afterEach(() => Promise.all(open.splice(0).map((each) => each.close())));
afterAll(async () => {
  await reference.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(VARIANTS)("%s", (_, argv, expected, date) => {
  const begin = (): Promise<Responding> => start(argv, date === undefined ? {} : { PATH: path(date) });

  test("says what it is, answers in order, passes over what it does not know, and ends with its input", async () => {
    const device = await begin();
    expect(await device.clock()).toEqual(expected);
    const garbage = [
      "",
      "ping",
      "ping ",
      "ping x",
      "ping 7 8",
      "ping -1",
      "Ping 7",
      " ping 7",
      "ping 1234567890123456",
      "tie 1",
      "\\ping 7",
    ];
    const hostile = ["ping $(exit 9)", "ping `exit 9`", "ping 1;exit 9", 'ping "', "ping '", "ping *", "Grüße \u0001", "x".repeat(10_000)];
    for (const line of [...garbage, ...hostile]) await device.channel.write(line);
    const answers = [await device.ping(), await device.ping(), await device.ping()];
    const stamps = answers.flatMap(({ deviceReceived_s, deviceSent_s }) => [deviceReceived_s, deviceSent_s]);
    expect(stamps).toEqual(stamps.toSorted((a, b) => a - b));
    device.channel.endInput();
    expect(await device.line()).toBeUndefined();
    expect([await device.channel.exit, device.channel.complaint()]).toEqual([0, ""]);
  });

  test("stamps within the round trip, on the clock it names", async () => {
    const device = await begin();
    const { clock } = await device.clock();
    const offset = await hostOffset(clock);
    for (let k = 0; k < 20; k++) {
      const { sent_s, received_s, deviceReceived_s, deviceSent_s } = await device.ping();
      expect(deviceReceived_s - offset.most_s - sent_s).toBeGreaterThan(0);
      expect(received_s - (deviceSent_s - offset.least_s)).toBeGreaterThan(0);
    }
  });

  test("ties hold between this host's own clocks", async () => {
    const device = await begin();
    await device.clock();
    const own = await reference.bestTie();
    const ties: ClockTie[] = [];
    for (let k = 0; k < 8; k++) ties.push(await device.tie());
    for (const tie of ties) {
      const slack_s = widthOf(own) + REALTIME_STEP_S;
      expect(tie.realtimeFrom_s - tie.boottime_s!).toBeLessThan(own.realtimeFrom_s - own.boottime_s! + slack_s);
      expect(tie.realtimeTo_s - tie.boottime_s!).toBeGreaterThan(own.realtimeFrom_s - own.boottime_s! - slack_s);
    }
    // A shell reads two clocks many times in the 10 ms for which one stands still.
    if (!expected.forks) expect(Math.min(...ties.map(widthOf))).toBeLessThan(0.005);
  });
});

test("Python's ties tell the monotonic clock, too", async () => {
  const device = await start(PYTHON!);
  await device.clock();
  const { boottime_s, ...tie } = await device.bestTie();
  const before = Number(process.hrtime.bigint()) / 1e9;
  expect(tie.monotonic_s!).toBeLessThan(before);
  expect(tie.monotonic_s!).toBeGreaterThan(before - 5);
  expect(widthOf(tie)).toBeLessThan(1e-3);
  expect(boottime_s!).toBeGreaterThanOrEqual(tie.monotonic_s!);
});

test.each(VARIANTS)("a device that booted earlier shows in the boottime of %s", async (_, argv, _expected, date) => {
  const shifted = ["unshare", "--user", "--map-root-user", "--time", "--boottime", "1000", "--monotonic", "500", ...argv];
  const device = await start(shifted, date === undefined ? {} : { PATH: path(date) });
  await device.clock();
  const [tie, own] = [await device.bestTie(), await reference.bestTie()];
  const later_s = tie.boottime_s! - own.boottime_s! - (tie.realtimeTo_s - own.realtimeFrom_s);
  expect(later_s).toBeLessThan(1000 + REALTIME_STEP_S);
  expect(later_s).toBeGreaterThan(1000 - widthOf(tie) - widthOf(own) - REALTIME_STEP_S);
  if (tie.monotonic_s !== undefined) expect(tie.boottime_s! - tie.monotonic_s).toBeCloseTo(500 + own.boottime_s! - own.monotonic_s!, 3);
});

describe("is not for this device", () => {
  test.each([
    ["a shell without EPOCHREALTIME", ["dash", "-c", SHELL_TEXT], {}],
    ["one that inherited a variable of that name", ["dash", "-c", SHELL_TEXT], { EPOCHREALTIME: "1795521272.738419" }],
    ["one that inherited something else", ["dash", "-c", SHELL_TEXT], { EPOCHREALTIME: "$(exit 0) 1.5" }],
    ["a date without nanoseconds", ["dash", "-c", DATE_TEXT], { PATH: path("busybox") }],
    ["no date", ["/bin/dash", "-c", DATE_TEXT], { PATH: "/nowhere" }],
  ])("%s", async (_, argv, environment) => {
    const device = await start(argv, environment as Record<string, string>);
    expect(await device.line()).toBeUndefined();
    expect(await device.channel.exit).toBe(UNABLE);
  });
});

/** A clock of this host minus the one that pings are stamped with here. */
async function hostOffset(clock: "realtime" | "monotonic" | "boottime"): Promise<{ least_s: number; most_s: number }> {
  const { realtimeFrom_s, realtimeTo_s, monotonic_s, boottime_s } = await reference.bestTie();
  if (clock !== "realtime") {
    const offset_s = (clock === "boottime" ? boottime_s! : monotonic_s!) - monotonic_s!;
    const width_s = realtimeTo_s - realtimeFrom_s + REALTIME_STEP_S;
    return { least_s: offset_s - width_s, most_s: offset_s + width_s };
  }
  return { least_s: realtimeFrom_s - monotonic_s! - REALTIME_STEP_S, most_s: realtimeTo_s - monotonic_s! + REALTIME_STEP_S };
}

const CLOCK = '{"type":"clock","clock":"boottime","method":"python3","resolution_s":1e-09,"forks":false,"ties":["realtime"]}';

test("a first line is read", () => {
  expect(parseClock(CLOCK)).toEqual({ ...WITH_PYTHON, ties: ["realtime"] });
});

test.each([
  "",
  "clock",
  "[]",
  CLOCK.slice(0, -2),
  CLOCK.replace('"clock","clock"', '"token","clock"'),
  CLOCK.replace("boottime", "sundial"),
  CLOCK.replace("python3", "perl"),
  CLOCK.replace("1e-09", "0"),
  CLOCK.replace("1e-09", "null"),
  CLOCK.replace("false", '"false"'),
  CLOCK.replace('["realtime"]', '"realtime"'),
  CLOCK.replace('["realtime"]', '["tai"]'),
  CLOCK.replace("}", `,"x":"${"x".repeat(300)}"}`),
])("%s is no first line", (line) => {
  expect(parseClock(line)).toBeUndefined();
});

const TIE = '{"type":"tie","realtime_from_s":5,"realtime_to_s":6,"boottime_s":1.5}';

test("a tie is read with the clocks it has", () => {
  expect(parseTie(TIE)).toEqual({ realtimeFrom_s: 5, realtimeTo_s: 6, boottime_s: 1.5 });
  expect(parseTie(TIE.replace("boottime_s", "monotonic_s"))).toEqual({ realtimeFrom_s: 5, realtimeTo_s: 6, monotonic_s: 1.5 });
});

test.each([
  '{"type":"tie"}',
  TIE.replace('"tie"', '"token"'),
  TIE.replace("6", "4"),
  TIE.replace("6", "null"),
  TIE.replace("1.5", '"1.5"'),
  TIE.replace(',"boottime_s":1.5', ""),
  TIE.replace('"boottime_s":1.5', '"boottime_s":1.5,"monotonic_s":"x"'),
])("%s is no tie", (line) => {
  expect(parseTie(line)).toBeUndefined();
});

test("a stamp by a process is late by a quarter of the round trip, and anything up to half", () => {
  const { bias_s, u_s } = forkBias(0.004);
  expect(bias_s).toBe(0.001);
  expect([bias_s - Math.sqrt(3) * u_s, bias_s + Math.sqrt(3) * u_s]).toEqual([expect.closeTo(0, 12), expect.closeTo(0.002, 12)]);
});
