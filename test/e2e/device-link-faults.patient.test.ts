import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { TapeRecord } from "../../src/model/tape.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { Decoder } from "../../src/session/decoder.ts";
import type { DeviceLink } from "../../src/session/device-link.ts";
import { openDevice } from "../../src/session/open-device.ts";
import { Recorder } from "../../src/session/recorder.ts";
import { overAdb, overSsh, type Stand } from "./stands.ts";

/*
 * A device whose link is lost, in every way there is, while a workload counts on it: what the tape says afterwards is
 * held against what the workload kept for itself.
 */

const NUMBERING = fileURLToPath(new URL("./numbering.js", import.meta.url));
const NOTICED_S = 3;
const RECOVERED_S = 10;

interface Counting {
  readonly link: DeviceLink;
  readonly failures: unknown[];
  now_s(): number;
  /** When the tape says that the link was lost, or came back, in order. */
  lost(): number[];
  reopened(): number[];
  /** The numbers on the tape. */
  heard(): number[];
  /** The numbers that the workload kept. */
  kept(): number[];
  channels(): number;
  /** The lives of the device's clock in which the numbers were said. */
  stampedOn(): number[];
}

/** A workload that counts on a linked device, until `act` is through. */
async function counting<S extends Stand>(opening: Promise<S>, act: (stand: S, counting: Counting) => Promise<void>): Promise<void> {
  const stand = await opening;
  const log = stand.file("numbers.jsonl");
  const command = [process.execPath, NUMBERING, `--log=${log.there}`];
  const meter = { kind: "bridge-ina219", emulated: "bridge-ina219", shunt_ohm: 0.1 };
  const device = { transport: stand.transport, command, clock: "monotonic" };
  const rig = parseRig(JSON.stringify({ name: "faults", instruments: { meter }, measurand: "meter.main", device }), "rig");
  const zero_ns = process.hrtime.bigint();
  const now = (): number => Number(process.hrtime.bigint() - zero_ns);
  const recorder = new Recorder(() => {});
  const decoder = new Decoder(rig);
  const tape: TapeRecord[] = [];
  const heard: number[] = [];
  const channels = new Set<number>();
  const stamping = new Set<number>();
  const failures: unknown[] = [];
  let link: DeviceLink | undefined;
  recorder.records$.subscribe((record) => {
    tape.push(record);
    for (const each of decoder.push(record)) {
      if (each.type === "pong") link?.answered(each.id);
      if (each.type === "ping") channels.add(each.ping.epoch);
      if (each.type !== "event") continue;
      heard.push(Number(each.event.request));
      stamping.add(each.channel);
    }
  });
  const times = (kind: TapeRecord["kind"], key: string): number[] =>
    tape
      .filter((each) => each.kind === kind && key in (JSON.parse(new TextDecoder().decode(each.bytes)) as object))
      .map(({ host_ns }) => host_ns / 1e9);
  try {
    const emulation = { zero_ns, startFile: log.here };
    link = await openDevice(rig, emulation, { recorder, now, failed: (error) => failures.push(error) });
    await link.ping(16);
    await link.process!.start();
    await until("it counts", () => heard.length > 25);
    await act(stand, {
      link,
      failures,
      now_s: () => now() / 1e9,
      lost: () => times("close", "lost"),
      reopened: () => times("open", "resumed"),
      heard: () => heard,
      kept: () =>
        readFileSync(log.here, "utf8")
          .split("\n")
          .slice(0, -1)
          .map((line) => Number((JSON.parse(line) as { request: string }).request)),
      channels: () => channels.size,
      stampedOn: () => [...stamping],
    });
  } finally {
    await link?.close();
    await stand.close();
  }
}

/** Waits for a condition; `expect.poll` cannot tell which of several concurrent tests it is in. */
async function until(what: string, holds: () => boolean): Promise<void> {
  for (let left = 4000; !holds(); left--) {
    if (left === 0) throw new Error(`in vain: until ${what}`);
    await pass(0.02);
  }
}

const pass = (duration_s: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, duration_s * 1000));

/** The link was lost once and came back, both soon enough; then everything the workload kept is there, once, in order. */
async function expectWhole(counting: Counting, { fault_s, returned_s }: { fault_s: number; returned_s: () => number }): Promise<void> {
  await until("the link is back", () => counting.reopened().length > 0);
  expect(counting.lost()).toHaveLength(1);
  const noticed_s = counting.lost()[0]! - fault_s;
  const recovered_s = counting.reopened()[0]! - returned_s();
  expect(noticed_s).toBeLessThanOrEqual(NOTICED_S);
  expect(recovered_s).toBeLessThanOrEqual(RECOVERED_S);
  const kept = counting.kept();
  await until("what was kept is heard", () => counting.heard().length >= kept.length);
  expect(counting.heard().slice(0, kept.length)).toEqual(kept);
  expect(kept).toEqual(kept.map((_, k) => k + 1));
  await counting.link.ping(16);
  expect(counting.channels()).toBe(1);
  expect(counting.failures).toEqual([]);
}

const LINKS: readonly (readonly [string, () => Promise<Stand>])[] = [
  ["ssh", overSsh],
  ["adb", overAdb],
];

describe.concurrent.each(LINKS)("over %s, a link", (_, stand) => {
  test("whose serving process is killed", () =>
    counting(stand(), async (device, course) => {
      const fault_s = course.now_s();
      device.kill();
      await expectWhole(course, { fault_s, returned_s: () => fault_s });
    }));

  test("that is frozen for 8 s", () =>
    counting(stand(), async (device, course) => {
      const fault_s = course.now_s();
      device.freeze();
      await pass(8);
      device.thaw();
      await expectWhole(course, { fault_s, returned_s: () => fault_s + 8 });
    }));

  test("that is down for 60 s", () =>
    counting(stand(), async (device, course) => {
      const fault_s = course.now_s();
      device.relay.down();
      await pass(60);
      device.relay.up();
      await expectWhole(course, { fault_s, returned_s: () => fault_s + 60 });
    }));
});

test.concurrent("over adb, a link whose adb server is killed", () =>
  counting(overAdb(), async (device, course) => {
    const fault_s = course.now_s();
    await device.killServer();
    await expectWhole(course, { fault_s, returned_s: () => fault_s });
  }));

describe.concurrent.each(LINKS)("over %s, a device that", (_, stand) => {
  test("boots anew has a new clock and no workload; what that had kept is read", () =>
    counting(stand(), async (device, course) => {
      device.relay.down();
      await pass(1); // It goes on counting, heard by nobody.
      await device.reboot();
      device.relay.up();
      expect(await course.link.process!.exit).toBeNull();
      await course.link.whole();
      await course.link.ping(16);
      expect(course.heard()).toEqual(course.kept());
      expect(course.channels()).toBe(2);
      expect(course.stampedOn()).toEqual([0]);
      expect(course.failures).toEqual([]);
    }));

  test("is another one than before is refused", () =>
    counting(stand(), async (device, course) => {
      await device.reboot("9999999999999");
      await until("it is refused", () => course.failures.length > 0);
      expect(course.failures[0]).toMatchObject({
        kind: "config",
        message: expect.stringMatching(/another one answers now: serial 9999999999999, where it was \w+/),
      });
    }));
});
