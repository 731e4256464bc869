import { describe, expect, test } from "vitest";
import { Check } from "../../src/rig/conditions.ts";
import { conditionsOf, recorded, unmetChecks } from "../../src/rig/preflight.ts";

const UNKNOWN = {
  charging: "unknown",
  airplane_mode: "unknown",
  screen: "unknown",
  governor: "unknown",
  load: "unknown",
  free_memory_bytes: "unknown",
  battery_percent: "unknown",
};

const PI = `governor|ondemand
governor|ondemand
radio|0|0
radio|1|0
load|0.08 0.03 0.01 1/213 4711
MemAvailable:    7654321 kB
`;

const PHONE = `supply|Battery|Charging|9
supply|USB|Unknown|
governor|schedutil
governor|performance
load|2.50 2.40 2.30 3/4000 99
MemAvailable:    1000 kB
airplane|1
mWakefulness=Asleep
Current Battery Service state:
  AC powered: false
  USB powered: true
  status: 4
  health: 2
  level: 81
  scale: 100
  temperature: 274
  technology: Li-ion
[EventLogBuffer]
08-11 18:34:14.721  Sending ACTION_BATTERY_CHANGED: level:72, health:2, status:2
`;

describe("conditions", () => {
  test("of a Raspberry Pi: what it has not is unknown, and no number", () => {
    const found = { ...UNKNOWN, airplane_mode: "no", governor: "ondemand", load: "0.08", free_memory_bytes: String(7654321 * 1024) };
    expect(conditionsOf(PI)).toEqual(found);
  });

  test("a full battery on a cable is fed from it, and one without is not", () => {
    expect(conditionsOf(PHONE.replace("status: 4", "status: 5")).charging).toBe("yes");
    expect(conditionsOf(PHONE.replace("status: 4", "status: 5").replace("powered: true", "powered: false")).charging).toBe("no");
  });

  test("of a phone are its services' before the kernel's", () => {
    expect(conditionsOf(PHONE)).toEqual({
      charging: "no",
      airplane_mode: "yes",
      screen: "off",
      governor: "performance, schedutil",
      load: "2.50",
      free_memory_bytes: "1024000",
      battery_percent: "81",
    });
  });

  test("of a laptop come from the kernel", () => {
    expect(conditionsOf("supply|Mains||\nsupply|Battery|Charging|55\nbacklight|0\nradio|1|0\n")).toMatchObject({
      charging: "yes",
      battery_percent: "55",
      screen: "on",
      airplane_mode: "yes",
    });
    expect(conditionsOf("supply|Battery|Unknown|\nbacklight|4\n")).toMatchObject({
      charging: "unknown",
      battery_percent: "unknown",
      screen: "off",
    });
  });

  test("of a battery service that was told what to say are unknown", () => {
    const told = PHONE.replace("state:\n", "state:\n  (UPDATES STOPPED -- use 'reset' to restart)\n");
    expect(conditionsOf(told).charging).toBe("unknown");
  });

  test("of nobody are unknown", () => {
    expect(conditionsOf("")).toEqual(UNKNOWN);
    expect(conditionsOf("load|\nairplane|null\ngovernor|\nsupply|||\n")).toEqual(UNKNOWN);
  });
});

describe("required conditions", () => {
  const unmet = (check: unknown, output = PHONE): string[] => unmetChecks([Check.parse(check)], conditionsOf(output));

  test.each<[unknown, string[]]>([
    ["charging", []],
    [{ check: "charging", is: false }, []],
    [{ check: "charging", is: "no" }, []],
    [{ check: "screen", is: "off" }, []],
    [{ check: "screen", is: false }, []],
    [{ check: "screen", is: true }, ["screen is off, and the plan wants yes"]],
    [{ check: "governor", is: "performance" }, ["governor is performance, schedutil, and the plan wants performance"]],
    [{ check: "load", at_most: 2.5 }, []],
    [{ check: "load", at_most: 2.4 }, ["load is 2.50, and the plan wants at most 2.4"]],
    [{ check: "battery_percent", at_least: 90 }, ["battery_percent is 81, and the plan wants at least 90"]],
    [{ check: "battery_percent", at_least: 50, at_most: 80 }, ["battery_percent is 81, and the plan wants at least 50 and at most 80"]],
  ])("%j", (check, expected) => expect(unmet(check)).toEqual(expected));

  test("that are unknown do not hold", () => {
    expect(unmet({ check: "battery_percent", at_most: 100 }, "")).toEqual(["battery_percent is unknown, and the plan wants at most 100"]);
    expect(unmet({ check: "charging", is: false }, "")).toEqual(["charging is unknown, and the plan wants no"]);
  });

  test("are recorded by their names", () => {
    expect(recorded([Check.parse("load"), Check.parse({ check: "screen", is: "off" })], conditionsOf(PI))).toEqual({
      load: "0.08",
      screen: "unknown",
    });
  });
});
