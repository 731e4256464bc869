import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { AdbServer } from "../adbd/adb-server.ts";
import { type Phone, type PhoneOptions, startPhone } from "../adbd/phone.ts";
import { scratch } from "./bench.ts";
import { type Ended, joulebench } from "./joulebench.ts";

/* Devices behind a real adb server that cannot be used: one message of `run` and of `check`, what to do, nothing lost. */

const { dir, remove } = scratch();
const phones: Phone[] = [];
let server: AdbServer;
beforeAll(async () => {
  server = await AdbServer.create();
});
afterAll(async () => {
  for (const phone of phones) await phone.close();
  await server?.close();
  remove();
});

async function plugIn(options: PhoneOptions): Promise<Phone> {
  const phone = await startPhone({ ...options, link: "cable", server });
  phones.push(phone);
  return phone;
}

/** What `run` and `check` say of a rig that reaches its device as `more` says. */
async function both(name: string, more: object): Promise<{ run: Ended; said: string; check: Ended; told: string }> {
  const transport = { kind: "adb", server_port: server.port, adb: server.path, answer_timeout_s: 1, ...more };
  writeFileSync(
    join(dir, `${name}.yaml`),
    `name: phone\ndevice: { transport: ${JSON.stringify(transport)}, command: [/data/local/tmp/w] }\n`,
  );
  const [run, check] = await Promise.all([
    joulebench(["run", `${name}.yaml`, "--out", `${name}-out`], { cwd: dir }),
    joulebench(["check", `${name}.yaml`], { cwd: dir }),
  ]);
  expect(existsSync(join(dir, `${name}-out`)), "nothing was measured, so nothing is kept").toBe(false);
  expect([check.code, check.stdout.match(/[✓✗]/g)]).toEqual([3, ["✗"]]);
  expect(check.stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  return { run, said: run.stderr.trimEnd().split("\n").at(-1)!, check, told: check.stdout.replace(/\s+/g, " ").trim() };
}

const devicesIn = (list: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...list.matchAll(/^(\S+)\t(\w+)$/gm)].map(([, serial, state]) => [serial, state]));

/** `run` ends with exit code `code`, and both say `message`. */
async function refused(name: string, more: object, code: number, message: string): Promise<void> {
  const { run, said, told } = await both(name, more);
  expect([run.code, run.stdout, said]).toEqual([code, "", `joulebench: ${message}`]);
  expect(told).toBe(`✗ device ${message}`);
}

const PLUG_IN = "plug it in, switch USB debugging on in its developer options, and see whether `adb devices` lists it";

test("no device at all: exit code 2, and how to get one", async () => {
  await refused("none", {}, 2, `adb: no device is connected; ${PLUG_IN}`);
});

describe.concurrent("among a device that can be used, one that trusts nobody and one that is silent", () => {
  let good: Phone;
  let wary: Phone;
  let silent: Phone;
  beforeAll(async () => {
    good = await plugIn({});
    wary = await plugIn({ asksForKeys: true });
    silent = await plugIn({});
    silent.freeze();
    await silent.vanish();
    await silent.return();
    await vi.waitFor(async () => expect(devicesIn(await server.adb("devices"))).toEqual(states()), { timeout: 10_000, interval: 100 });
  });
  const states = () => ({ [good.serial]: "device", [wary.serial]: "unauthorized", [silent.serial]: "offline" });
  const inOrder = () => [good, wary, silent].toSorted((a, b) => a.serial.localeCompare(b.serial));
  const listed = () =>
    inOrder()
      .map((phone) => `${phone.serial} (${phone === good ? "Pixel_8, device" : states()[phone.serial]})`)
      .join(", ");

  test("the rig has to say which: exit code 2, with their names", () =>
    refused("several", {}, 2, `adb: several devices are connected; say which as \`serial:\` in the rig: ${listed()}`));

  test("a serial that none has: exit code 2, with those there are", () =>
    refused(
      "other",
      { serial: "R58M123ABC" },
      2,
      `R58M123ABC: there is no such device, connected are ${listed()}; correct \`serial:\` in the rig, or ${PLUG_IN}`,
    ));

  test("one that does not trust this computer: exit code 2, and where to look", () =>
    refused(
      "wary",
      { serial: wary.serial },
      2,
      `${wary.serial}: it does not trust this computer: unlock it and accept the key on the phone's screen; if it shows none, unplug it and plug it in again`,
    ));

  test("one that is offline: exit code 3, and what may help", () =>
    refused(
      "silent",
      { serial: silent.serial },
      3,
      `${silent.serial}: it is offline; unplug it and plug it in again, or switch its USB debugging off and on`,
    ));
});
