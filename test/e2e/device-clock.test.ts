import { afterAll, beforeAll, expect, test } from "vitest";
import { pieceAt, toSession } from "../../src/model/clock.ts";
import type { TapeRecord } from "../../src/model/tape.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { Decoder } from "../../src/session/decoder.ts";
import type { DeviceLink } from "../../src/session/device-link.ts";
import { deviceTime } from "../../src/session/device-time.ts";
import { openDevice } from "../../src/session/open-device.ts";
import { Recorder } from "../../src/session/recorder.ts";
import { survey } from "../../src/session/survey.ts";
import { RESPONDERS } from "../../src/wire/responder.ts";
import { Responding } from "../wire/responding.ts";
import { overAdb, overSsh, type Stand } from "./stands.ts";

/*
 * The clock of a device over its real link. Device and host are one machine, so the truth is known: a process of our own
 * reads all its clocks at one instant. Where the device's program is Python, it reads them through a law of the test's own.
 */

/** A device's clock, of the machine's clock that it is made from. */
interface Law {
  readonly of: "boottime" | "realtime";
  readonly offset_s: number;
  readonly ppm: number;
}
const BENT: Law = { of: "boottime", offset_s: 1.234, ppm: 50 };
/** A shell knows this one alone, and it is the machine's own. */
const REALTIME: Law = { of: "realtime", offset_s: 0, ppm: 0 };

const PYTHON = `#!/usr/bin/env -S PATH=/usr/bin:/bin python3
import sys
program = sys.argv[-1].replace("return time.clock_gettime(clock)", "return time.clock_gettime(clock) * (1 + ${BENT.ppm}e-6) + ${BENT.offset_s}")
exec(compile(program, "responder", "exec"), {})
`;
const ABSENT = "#!/bin/sh\nexit 127\n";

let machine: Responding;
beforeAll(async () => {
  machine = await Responding.start(RESPONDERS[0]!.argv);
  await machine.clock();
});
afterAll(() => machine.close());

/** One after the other: what keeps the machine busy would be seen by whoever asks for the time meanwhile. */
let last: Promise<unknown> = Promise.resolve();
function alone<T>(act: () => Promise<T>): Promise<T> {
  const acted = last.then(act);
  last = acted.catch(() => undefined);
  return acted;
}

interface Instant {
  readonly device_s: number;
  readonly monotonic_s: number;
}

async function instant({ of, offset_s, ppm }: Law): Promise<Instant> {
  const { realtimeFrom_s, realtimeTo_s, boottime_s, monotonic_s } = await machine.bestTie();
  const clock_s = of === "boottime" ? boottime_s! : (realtimeFrom_s + realtimeTo_s) / 2;
  return { device_s: clock_s * (1 + ppm * 1e-6) + offset_s, monotonic_s: monotonic_s! };
}

const pass = (duration_s: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, duration_s * 1000));

/** Pings as a session does. @returns the errors of the map, and its bounds, at the instants at which the clocks were read together */
async function measured(opening: Promise<Stand>, lasts_s: number, law: Law) {
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
  const truths: Instant[] = [];
  let link: DeviceLink | undefined;
  recorder.records$.subscribe((record) => {
    tape.push(record);
    for (const each of decoder.push(record)) if (each.type === "pong") link?.answered(each.id);
  });
  try {
    const now = (): number => Number(process.hrtime.bigint() - zero_ns);
    const failed = (error: unknown) => expect.unreachable(String(error));
    link = await openDevice(rig, { zero_ns, startFile: "" }, { recorder, now, failed });
    await alone(() => link!.ping(256));
    truths.push(await alone(() => instant(law)));
    for (let left_s = lasts_s; left_s > 0; left_s -= 10) {
      await pass(10);
      truths.push(await alone(() => instant(law)));
      await link.tie();
      await alone(() => link!.ping(16));
    }
    truths.push(await alone(() => instant(law)));
    await alone(() => link!.ping(256));
  } finally {
    await link?.close();
    await stand.close();
  }
  const { pings, eventClocks } = survey(tape, rig);
  const { maps, facts } = deviceTime(pings, [], eventClocks);
  const map = maps[0]!;
  const errors = truths.map(({ device_s, monotonic_s }) => ({
    error_s: Math.abs(toSession(map, device_s) - (monotonic_s - Number(zero_ns) / 1e9)),
    bound_s: pieceAt(map, device_s).bound_s,
  }));
  const [from, to] = [truths[0]!, truths.at(-1)!];
  const true_ppm = ((to.device_s - from.device_s) / (to.monotonic_s - from.monotonic_s) - 1) * 1e6;
  return { method: methodOn(tape), maps: maps.length, errors, rate_ppm: facts[0]!.facts.rate_ppm - true_ppm };
}

/** How the device reads its clock, by the tape. */
const methodOn = (tape: readonly TapeRecord[]): unknown =>
  tape
    .filter(({ kind }) => kind === "open")
    .map(({ bytes }) => (JSON.parse(new TextDecoder().decode(bytes)) as { method?: string }).method)
    .find((method) => method !== undefined);

const JITTER = [3, 7] as const;
const AROUND = { there_ms: JITTER, back_ms: JITTER };
const LOPSIDED = { there_ms: JITTER, back_ms: [1, 1] as const };
const NONE = Number.POSITIVE_INFINITY;

interface Case {
  readonly name: string;
  readonly stand: () => Promise<Stand>;
  readonly lasts_s: number;
  readonly law: Law;
  /** What the device's clock has to be read with. */
  readonly method: string;
  /** Largest error allowed beside the stated bound. */
  readonly error_s: number;
  readonly error_ppm: number;
}
const withPython = { python3: PYTHON };
const loopback = { lasts_s: 30, error_s: 0.3e-3, error_ppm: 2 };
const around = { lasts_s: 60, error_s: 0.5e-3, error_ppm: 3 };
const lopsided = { lasts_s: 60, error_s: NONE, error_ppm: NONE };
const python = { law: BENT, method: "python3" };
const shell = { law: REALTIME, method: "epochrealtime" };
const [noPython, noBash] = [{ python3: ABSENT }, { python3: ABSENT, bash: ABSENT }];

const CASES: readonly Case[] = [
  { name: "ssh on loopback", stand: () => overSsh({}, withPython), ...loopback, ...python },
  { name: "adb on loopback", stand: () => overAdb(), ...loopback, ...shell },
  { name: "ssh with bash in place of python3", stand: () => overSsh({}, noPython), ...loopback, ...shell },
  { name: "ssh with busybox alone", stand: () => overSsh({}, noBash), ...loopback, ...shell },
  // A stamp that starts a process is late by what nobody knows: its bound says so.
  {
    name: "ssh with date alone",
    stand: () => overSsh({}, { ...noBash, busybox: ABSENT }),
    ...loopback,
    law: REALTIME,
    method: "date",
    error_s: NONE,
    error_ppm: NONE,
  },
  { name: "ssh over 5 ± 2 ms", stand: () => overSsh(AROUND, withPython), ...around, ...python },
  { name: "adb over 5 ± 2 ms", stand: () => overAdb(AROUND), ...around, ...shell },
  { name: "ssh, one way longer", stand: () => overSsh(LOPSIDED, withPython), ...lopsided, ...python },
  { name: "adb, one way longer", stand: () => overAdb(LOPSIDED), ...lopsided, ...shell },
];

/** Side by side, since they do little but wait. */
test.concurrent.each(CASES)("$name", async ({ stand, lasts_s, law, method, error_s, error_ppm }) => {
  const { errors, rate_ppm, ...found } = await measured(stand(), lasts_s, law);
  expect(found).toEqual({ method, maps: 1 });
  for (const each of errors) expect(each.error_s).toBeLessThanOrEqual(Math.min(each.bound_s, error_s));
  expect(Math.abs(rate_ppm)).toBeLessThanOrEqual(error_ppm);
});
