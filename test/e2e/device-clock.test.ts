import { expect, test } from "vitest";
import { toSession } from "../../src/model/clock.ts";
import type { TapeRecord } from "../../src/model/tape.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { Decoder } from "../../src/session/decoder.ts";
import type { DeviceLink } from "../../src/session/device-link.ts";
import { deviceTime } from "../../src/session/device-time.ts";
import { openDevice } from "../../src/session/open-device.ts";
import { Recorder } from "../../src/session/recorder.ts";
import { survey } from "../../src/session/survey.ts";
import { overSsh, type Stand } from "./stands.ts";

/*
 * The clock of a device over its real link. Device and host are one machine, so the truth is known: the device's python
 * reads every clock through a law of the test's own.
 */

const [OFFSET_S, PPM] = [1.234, 50];
const PYTHON = `#!/usr/bin/env -S PATH=/usr/bin:/bin python3
import sys
program = sys.argv[-1].replace("return time.clock_gettime(clock)", "return time.clock_gettime(clock) * (1 + ${PPM}e-6) + ${OFFSET_S}")
exec(compile(program, "responder", "exec"), {})
`;
const true_s = (reading_s: number): number => (reading_s - OFFSET_S) / (1 + PPM * 1e-6);
const pass = (duration_s: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, duration_s * 1000));

/** Pings as a session does. @returns the largest error of the map wherever the device's clocks were read together */
async function measured(opening: Promise<Stand>, lasts_s: number) {
  const stand = await opening;
  const meter = { kind: "bridge-ina219", emulated: "bridge-ina219", shunt_ohm: 0.1 };
  const content = {
    name: "clock",
    instruments: { meter },
    measurand: "meter.main",
    device: { transport: stand.transport, command: ["cat"] },
  };
  const rig = parseRig(JSON.stringify(content), "rig");
  const zero_ns = process.hrtime.bigint();
  const recorder = new Recorder(() => {});
  const decoder = new Decoder(rig);
  const tape: TapeRecord[] = [];
  const ties: { boottime_s: number; monotonic_s: number }[] = [];
  let link: DeviceLink | undefined;
  recorder.records$.subscribe((record) => {
    tape.push(record);
    for (const each of decoder.push(record)) {
      if (each.type === "pong") link?.answered(each.id);
      if (each.type === "tie") ties.push({ boottime_s: each.tie.boottime_s!, monotonic_s: each.tie.monotonic_s! });
    }
  });
  try {
    const now = (): number => Number(process.hrtime.bigint() - zero_ns);
    const failed = (error: unknown) => expect.unreachable(String(error));
    link = await openDevice(rig, { zero_ns, startFile: "" }, { recorder, now, failed });
    await link.ping(64);
    for (let left_s = lasts_s; left_s > 0; left_s -= 10) {
      await pass(10);
      await link.tie();
      await link.ping(16);
    }
    await link.ping(64);
  } finally {
    await link?.close();
    await stand.close();
  }
  const { pings } = survey(tape, rig);
  const { maps, facts } = deviceTime(pings, []);
  const errors = ties.map((tie) => toSession(maps[0]!, tie.boottime_s) - (true_s(tie.monotonic_s) - Number(zero_ns) / 1e9));
  const largest_s = Math.max(...errors.map(Math.abs));
  return { largest_s, rate_ppm: facts[0]!.facts.rate_ppm - PPM, bound_s: facts[0]!.facts.bound_s, ties: ties.length };
}

test("ssh: on loopback within 0.3 ms and 2 ppm, over 5 ± 2 ms within 0.5 ms and 3 ppm, one way longer within its bound", async () => {
  const jitter = [3, 7] as const;
  const [loopback, relayed, lopsided] = await Promise.all([
    measured(overSsh({}, PYTHON), 30),
    measured(overSsh({ there_ms: jitter, back_ms: jitter }, PYTHON), 60),
    measured(overSsh({ there_ms: jitter, back_ms: [1, 1] }, PYTHON), 60),
  ]);
  for (const each of [loopback, relayed, lopsided]) expect(each.ties).toBeGreaterThanOrEqual(4);
  expect(loopback.largest_s).toBeLessThanOrEqual(0.3e-3);
  expect(Math.abs(loopback.rate_ppm)).toBeLessThanOrEqual(2);
  expect(relayed.largest_s).toBeLessThanOrEqual(0.5e-3);
  expect(Math.abs(relayed.rate_ppm)).toBeLessThanOrEqual(3);
  expect(lopsided.largest_s).toBeLessThanOrEqual(lopsided.bound_s);
});
