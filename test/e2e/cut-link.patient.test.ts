import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { InferenceEvent } from "../../src/model/event.ts";
import type { Results } from "../../src/model/results.ts";
import { TapeReader } from "../../src/store/tape-reader.ts";
import { parsePing } from "../../src/wire/ping.ts";
import { type Phone, startPhone } from "../adbd/phone.ts";
import { optionsFor } from "../transports/adb-bench.ts";
import { App } from "../usbmuxd/app.ts";
import { Usbmuxd } from "../usbmuxd/usbmuxd.ts";
import { faultsOf, readResults, scratch, workload } from "./bench.ts";
import { start } from "./joulebench.ts";
import { freePort } from "./loopback.ts";

/*
 * Sessions whose device loses its cable while they measure, on purpose or not: the whole program, the real adb server
 * or the real iproxy, and a hub whose switch is a command of the rig. They run side by side and have no meter, which
 * would be emulated and fall behind: what is at stake are events and clocks.
 */

const { dir, remove } = scratch();
afterAll(remove);
const REQUESTS = 5;

/** A hub whose command reaches the test, which then does to the phone what a hub would. */
async function startHub(flip: (state: string) => Promise<void>): Promise<{ port: number; flips: string[]; close(): void }> {
  const flips: string[] = [];
  const server = createServer((socket) => {
    socket.setEncoding("utf8").once("data", async (state: string) => {
      flips.push(state);
      await flip(state);
      socket.end();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { port, flips, close: () => server.close() };
}

const SWITCH = 'require("node:net").connect(process.argv[1], "127.0.0.1").end(process.argv[2]).on("close", () => process.exit()).resume()';
const switching = (port: number, state: string): string[] => [process.execPath, "-e", SWITCH, String(port), state];

interface Measured {
  readonly session: string;
  readonly code: number | null;
  readonly said: string;
  readonly results: Results;
  readonly events: readonly InferenceEvent[];
}

/** Measures a session. @param during is done meanwhile, with a way to wait for what the program says */
async function measured(name: string, rig: object, during?: (said: (text: string) => Promise<void>) => Promise<void>): Promise<Measured> {
  const [path, session] = [join(dir, `${name}.json`), join(dir, `${name}-session`)];
  writeFileSync(path, JSON.stringify({ name, instruments: {}, ...rig }));
  const running = start(["run", path, "--out", session], { cwd: dir });
  await during?.(running.said);
  const { code, stdout, stderr } = await running.ended;
  const results = readResults(session, { stderr });
  const events = readFileSync(join(session, "events.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as InferenceEvent);
  return { session, code, said: stdout + stderr, results, events };
}

/** When the device's clock was asked for, by the tape. */
const pings = (session: string): number[] =>
  [...new TapeReader(join(session, "tape")).records()]
    .filter(({ kind, bytes }) => kind === "tx" && parsePing(new TextDecoder().decode(bytes).trimEnd()) !== undefined)
    .map(({ host_ns }) => host_ns / 1e9);

const PLAN = { baseline_s: 1, after_s: 0.5, settle_s: 0, pulses: false, requests: REQUESTS };
const command = workload(`--requests=${REQUESTS}`, "--clock=realtime");
const valid = ({ results }: Measured): number => results.summary.e2e_latency?.n ?? 0;
const idsOf = ({ events }: Measured, type: string): unknown[] => events.filter((each) => each.type === type).map(({ request }) => request);
const NUMBERED = Array.from({ length: REQUESTS }, (_, k) => `r${k + 1}`);

/** A phone on a cable whose power is cut by a hub while its meter measures. */
async function onHub(
  name: string,
  rig: (phone: Phone) => object,
  cut: (phone: Phone) => Promise<void>,
): Promise<Measured & { flips: readonly string[] }> {
  const phone = await startPhone({ link: "cable" });
  const hub = await startHub((state) => (state === "off" ? cut(phone) : phone.return()));
  try {
    const { device, ...more } = rig(phone) as { device: object };
    const usb_power = { off: switching(hub.port, "off"), on: switching(hub.port, "on") };
    const found = await measured(name, { device: { command, clock: "realtime", usb_power, ...device }, plan: PLAN, ...more });
    return { ...found, flips: hub.flips };
  } finally {
    hub.close();
    await phone.close();
  }
}

describe.concurrent("a phone that", () => {
  test("is detached works alone: its events are read when the cable is back, on a clock that was pinged before and after", async () => {
    const found = await onHub(
      "detached",
      (phone) => ({ device: { transport: { kind: "adb", ...optionsFor(phone) }, link: "detached" }, plan: { ...PLAN, detached_s: 7 } }),
      (phone) => phone.vanish(),
    );
    expect(found.code, found.said).toBe(0);
    expect(found.flips).toEqual(["off", "on"]);
    expect(idsOf(found, "request_end")).toEqual(NUMBERED);
    expect(valid(found)).toBe(REQUESTS);
    expect(Object.keys(faultsOf(found.results)).filter((code) => code.startsWith("device"))).toEqual([]);
    expect(found.results.clocks["device/0"]).toMatchObject({ clock_steps: 0 });
    // Nobody spoke with it while its cable was cut.
    const asked_s = pings(found.session);
    const silences_s = asked_s.slice(1).map((at_s, k) => at_s - asked_s[k]!);
    expect(Math.max(...silences_s)).toBeGreaterThan(6);
  });

  test("goes over to Wi-Fi is pinged all the time, without its cable", async () => {
    const network_port = await freePort();
    const found = await onHub(
      "wifi",
      (phone) => ({ device: { transport: { kind: "adb", ...optionsFor(phone, { network_port }) }, link: "wifi" } }),
      (phone) => phone.adbd.unlisten(phone.port),
    );
    expect(found.code, found.said).toBe(0);
    expect(found.flips).toEqual(["off", "on"]);
    expect(idsOf(found, "request_end")).toEqual(NUMBERED);
    expect(valid(found)).toBe(REQUESTS);
    expect(Object.keys(faultsOf(found.results)).filter((code) => code.startsWith("device"))).toEqual([]);
    expect(Number(found.results.clocks["device/0"]!.pings_used)).toBeGreaterThan(128);
  });

  test("runs an app, and is unplugged in the middle: what it says afterwards is heard once, and the loss is told", async () => {
    const udid = "00008120-000A1B2C3D4E5F60";
    const mux = await Usbmuxd.start(mkdtempSync(join(dir, "mux-")));
    const app = await App.start(undefined, 2 * REQUESTS);
    mux.attach(udid, { 5000: app.port });
    try {
      process.env.USBMUXD_SOCKET_ADDRESS = mux.address;
      const transport = { kind: "ios", port: 5000 };
      const found = await measured(
        "unplugged",
        { device: { transport, command: [] }, plan: { ...PLAN, requests: REQUESTS } },
        async (said) => {
          await expect.poll(() => app.answered.length, { interval: 10 }).toBeGreaterThanOrEqual(2);
          mux.detach(udid);
          await said("opening it again");
          mux.attach(udid, { 5000: app.port });
        },
      );
      expect(faultsOf(found.results)).toMatchObject({ "device/link_failed": 1, "device/link_reopened": 1 });
      const ended = idsOf(found, "request_end");
      expect(new Set(ended).size).toBe(ended.length);
      expect(ended.slice(-REQUESTS)).toEqual(app.answered.slice(-REQUESTS));
      expect(valid(found)).toBeGreaterThanOrEqual(REQUESTS);
      expect(found.results.clocks["device/0"]).toMatchObject({ clock_steps: 0 });
      expect(found.code, found.said).toBe(0);
    } finally {
      await app.close();
      await mux.close();
      delete process.env.USBMUXD_SOCKET_ADDRESS;
    }
  });
});
