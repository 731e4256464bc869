import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { fitPings } from "../../src/clock/ping-map.ts";
import { EVENT_TYPES, type InferenceEvent } from "../../src/model/event.ts";
import type { Ping } from "../../src/model/ping.ts";
import { parseRig, type Rig } from "../../src/rig/rig.ts";
import { Decoder } from "../../src/session/decoder.ts";
import { sourced } from "../../src/session/device-time.ts";
import type { Observation } from "../../src/session/observation.ts";
import { openDevice } from "../../src/session/open-device.ts";
import { Recorder } from "../../src/session/recorder.ts";
import { phases } from "../../src/windows/phases.ts";
import { PULSE_CODE, PULSES_UNSUPPORTED_LINE, parseSync } from "../../src/wire/pulses.ts";
import { examplesOf, named, rowsBelow } from "./pages.ts";

const PAGE = "docs/device-protocol.md";
const folder = mkdtempSync(join(tmpdir(), "joulebench-docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the table of events has every type", () => {
  expect(rowsBelow(PAGE, "Events").flatMap(([types]) => named(types!))).toEqual([...EVENT_TYPES]);
});

test("the pattern of load pulses is the one looked for", () => {
  const shown = examplesOf(PAGE)
    .find(({ info }) => info === "text pulses")!
    .text.split(", ")
    .map(Number);
  const code = PULSE_CODE.flatMap(({ on_s, off_s }, k) => [off_s - on_s, (PULSE_CODE[k + 1]?.on_s ?? off_s) - off_s]);
  expect(shown).toEqual(code.slice(0, -1).map((length_s) => Math.round(length_s * 1000)));
});

test("what it prints about pulses and triggers is understood", () => {
  const lines = examplesOf(PAGE)
    .filter(({ info }) => info === "jsonl")
    .flatMap(({ text }) => text.split("\n"));
  expect(lines.map((line) => parseSync(line)?.type)).toEqual(["pulse", "pulses_done"]);
});

describe("the workloads of the page, through a rig and the local transport", () => {
  test("Node: five requests with all their tokens", async () => {
    const { observations, windows, faults } = await converse(["node", saved("js workload", "workload.mjs")]);
    expect([...faults, ...observations.filter(({ type }) => type === "fault")]).toEqual([]);
    expect(windows.filter(({ phase }) => phase === "request").map(({ request }) => request)).toEqual(["r1", "r2", "r3", "r4", "r5"]);
    expect(windows.filter(({ phase }) => phase === "prefill").map(({ tokens }) => tokens)).toEqual([5, 5, 5, 5, 5]);
    expect(windows.filter(({ phase }) => phase === "decode").map(({ tokens }) => tokens)).toEqual([7, 7, 7, 7, 7]);
  });

  test("sh: five units of work", async () => {
    const { observations, windows, faults } = await converse(["sh", saved("sh workload", "workload.sh")]);
    expect([...faults, ...observations.filter(({ type }) => type === "fault")]).toEqual([]);
    expect(windows.map(({ phase, unit, tokens }) => `${phase} ${unit} ${tokens}`)).toEqual(Array(5).fill("unit run 1"));
  });
});

function saved(info: string, name: string): string {
  const example = examplesOf(PAGE).find((each) => each.info === info)!;
  writeFileSync(join(folder, name), `${example.text}\n`);
  return name;
}

/** Pings, starts and hears a workload out, as a session does. */
async function converse(command: readonly string[]) {
  const rig: Rig = parseRig(JSON.stringify({ ...BENCH, device: { transport: { kind: "local", folder }, command } }), "rig");
  const zero_ns = process.hrtime.bigint();
  const recorder = new Recorder(() => {});
  const decoder = new Decoder(rig);
  const observations: Observation[] = [];
  const said: string[] = [];
  recorder.records$.subscribe((record) => {
    if (record.kind === "rx") said.push(new TextDecoder().decode(record.bytes).trim());
    const news = decoder.push(record);
    observations.push(...news);
    for (const each of news) if (each.type === "pong") link.answered(each.id);
  });
  const emulation = { zero_ns, startFile: join(folder, "start.json") };
  const now = () => Number(process.hrtime.bigint() - zero_ns);
  const failed = (error: unknown) => expect.unreachable(String(error));
  const link = await openDevice(rig, emulation, { recorder, now, failed });
  await link.ping(16);
  await link.process!.send("pulses");
  await link.process!.send("start");
  await expect.poll(() => observations.some(({ type }) => type === "done"), { interval: 5 }).toBe(true);
  await link.ping(16);
  await link.close();
  const pings = observations.flatMap((each): Ping[] => (each.type === "ping" ? [each.ping] : []));
  const events = observations.flatMap((each): InferenceEvent[] => (each.type === "event" ? [sourced(each.event, each.event.tick, 0)] : []));
  const { map } = fitPings(pings, "device", 0);
  expect([pings.length, map === undefined]).toEqual([32, false]);
  expect(await link.process!.exit).toBe(0);
  expect(said).toContain(PULSES_UNSUPPORTED_LINE);
  return { observations, ...phases(events, [map!]) };
}

const BENCH = {
  name: "docs",
  instruments: { meter: { kind: "bridge-ina219", emulated: "bridge-ina219", shunt_ohm: 0.1 } },
  measurand: "meter.main",
};
