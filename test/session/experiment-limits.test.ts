import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Limits } from "../../src/rig/conditions.ts";
import { parseExperiment } from "../../src/rig/parse-experiment.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { runCell } from "../../src/session/cell.ts";
import { onDevice } from "../../src/session/device-commands.ts";
import { LimitWatch } from "../../src/session/limits.ts";

const dir = mkdtempSync(join(tmpdir(), "joulebench-limits-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** What the stand-in of Android's service says on this machine, which thereby has a zone of its own. */
const says = (battery: string): void => {
  writeFileSync(join(dir, "dumpsys"), `#!/bin/sh\n[ "$1" = battery ] && echo 'Current Battery Service state:' && echo '  ${battery}'\n:\n`);
  chmodSync(join(dir, "dumpsys"), 0o755);
};

const rig = (instrument?: string) =>
  parseRig(
    `name: bench
${instrument ? `instruments: { meter: { kind: bridge-ina219, ${instrument}, shunt_ohm: 0.1 } }\nmeasurand: meter.main` : "instruments: {}"}
device:
  transport: { kind: local, environment: { PATH: "${dir}:${process.env.PATH}" } }
  command: [${process.execPath}, -e, "setTimeout(() => {}, 60000)"]
`,
    "rig.yaml",
  );
const never = new AbortController().signal;
const silent = rig("port: /dev/ptmx");
/** Watches this machine until the watch ends. */
const watched = (watch: LimitWatch) => onDevice(silent, ({ temperatures }) => watch.temperature({ temperatures, whole: async () => {} }));

describe("a limit of temperature", () => {
  test("ends what is measured when it is passed", async () => {
    says("temperature: 612");
    const watch = new LimitWatch(Limits.parse({ temperature_degc: 60, zone: "battery", every_s: 0.01 }), never);
    await watched(watch);
    expect(watch.signal.aborted).toBe(true);
    expect(watch.passed).toBe("battery was 61.2 degC, over the limit of 60 degC");
  });

  test("ends what cannot be watched any more", async () => {
    says("level: 50");
    const watch = new LimitWatch(Limits.parse({ temperature_degc: 60, zone: "battery", every_s: 0.01 }), never);
    await watched(watch);
    expect(watch.passed).toBe("battery could not be read 3 times, so its limit could not be kept");
  });

  test("stands by until the session is over, and says nothing after it", async () => {
    says("temperature: 300");
    const watch = new LimitWatch(Limits.parse({ temperature_degc: 60, zone: "battery", every_s: 30 }), never);
    const ended = watched(watch);
    watch.end();
    await ended;
    watch.power(1e9);
    expect([watch.signal.aborted, watch.passed]).toEqual([false, undefined]);
  });

  test("makes the cell invalid, its session kept", async () => {
    says("temperature: 612");
    const text = "limits: { temperature_degc: 60, zone: battery, every_s: 0.05 }\npreflight: [battery_percent]";
    const unmetered = rig();
    const [cell] = parseExperiment(text, "plan.yaml", unmetered).cells;
    const outcome = await runCell(unmetered, cell!, join(dir, "cell"), { signal: never, start: new Map() });
    expect(outcome).toEqual({
      state: "invalid",
      reason: "ended early: battery was 61.2 degC, over the limit of 60 degC",
      conditions: { battery_percent: "unknown" },
    });
  });
});

test("a limit of power is that of the measurand's mean", () => {
  const watch = new LimitWatch(Limits.parse({ power_w: 15 }), never);
  watch.power(15);
  expect(watch.signal.aborted).toBe(false);
  watch.power(15.01);
  expect([watch.signal.aborted, watch.passed]).toEqual([true, "power was 15.01 W, over the limit of 15 W"]);
});

test("a gate opens on what the device says, over its transport", async () => {
  says("temperature: 231");
  expect(await onDevice(silent, async (device) => (await device.temperatures()).get("battery"))).toBe(23.1);
  const text = "cool_down: { zone: battery, below_degc: 30, hold_s: 0.2, every_s: 0.1, timeout_s: 30 }";
  const gone = rig("port: /dev/ttyNOWHERE0");
  const [cell] = parseExperiment(text, "plan.yaml", gone).cells;
  const waiting: string[] = [];
  const outcome = await runCell(gone, cell!, join(dir, "gate"), {
    signal: never,
    start: new Map(),
    watcher: { waiting: (detail) => waiting.push(detail) },
  });
  // Through the gate, and up to the meter, which is not there.
  expect(outcome).toMatchObject({ state: "failed", error: { subject: "/dev/ttyNOWHERE0" } });
  expect(waiting.at(-1)).toBe("battery: 23.1 degC");
});
