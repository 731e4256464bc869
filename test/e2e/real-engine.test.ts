import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { startPhone } from "../adbd/phone.ts";
import { writeModel } from "../engine/gguf.ts";
import { startSshd } from "../sshd/sshd.ts";
import { readResults } from "./bench.ts";
import { joulebench } from "./joulebench.ts";

const METERED = fileURLToPath(new URL("../engine/bin/metered", import.meta.url));
const REQUESTS = 6;
const OUTPUT_TOKENS = 30;
const IDLE_W = 1.2;

let dir: string;
let model: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "joulebench-engine-"));
  chmodSync(dir, 0o777);
  model = join(dir, "random.gguf");
  writeModel(model, { seed: 1 });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What was drawn, by request: energies of prefill and decode as they were announced to the supply. */
function truth(loads: string): { prefill_j: number; decode_j: number }[] {
  const steps = readFileSync(loads, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { from_ns: string; to_ns: string; power_w: number })
    .map(({ from_ns, to_ns, power_w }) => ({ seconds: Number(BigInt(to_ns) - BigInt(from_ns)) / 1e9, power_w }));
  return Array.from({ length: steps.length / 2 }, (_, k) => {
    const [prefill, decode] = [steps[2 * k]!, steps[2 * k + 1]!];
    return { prefill_j: prefill.seconds * prefill.power_w, decode_j: decode.seconds * decode.power_w };
  });
}

/** Mean time from one output token to the next, by the device's own events: they are a little late, each by another bit. */
function tpot_s(loads: string): number {
  const events = readFileSync(`${loads}.events`, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; request: string; time_s: number });
  const lasted_s = [...new Set(events.map(({ request }) => request))].map((request) => {
    const tokens = events.filter((each) => each.request === request && each.type.endsWith("token"));
    return tokens.at(-1)!.time_s - tokens[0]!.time_s;
  });
  return lasted_s.reduce((sum, each) => sum + each, 0) / (REQUESTS * (OUTPUT_TOKENS - 1));
}

/** The value, its U, and the truth: the truth lies inside, and the interval is narrow. */
function expectWithin({ summary }: Results, name: string, true_: number, largest: number): void {
  const { value, expanded_uncertainty: u, n } = summary[name]!;
  expect(n, name).toBe(REQUESTS);
  expect(Math.abs(value - true_), `${name}: ${value} ± ${u}, truth ${true_}`).toBeLessThanOrEqual(u);
  expect(u / value, `U of ${name}`).toBeLessThanOrEqual(largest);
}

/** Measures the real engine on a device reached so, and holds the results against what was drawn. */
async function measured(name: string, transport: object): Promise<Results> {
  const [loads, session, rig] = [`${name}-loads`, `${name}-session`, `${name}.json`].map((each) => join(dir, each)) as [
    string,
    string,
    string,
  ];
  for (const path of [loads, `${loads}.events`]) {
    writeFileSync(path, "");
    chmodSync(path, 0o666);
  }
  const meter = { kind: "bridge-ina219", emulated: "bridge-ina219", shunt_ohm: 0.10005, gain_uncertainty: 0.002, usb_latency_s: 0.0002 };
  const content = {
    name: "real-engine",
    instruments: { meter },
    measurand: "meter.main",
    device: {
      transport,
      clock: "monotonic",
      // The engine's Node is this machine's: no device has it in its PATH.
      command: ["env", `PATH=${dirname(process.execPath)}:/usr/bin:/bin`, METERED, model, loads, String(REQUESTS), String(OUTPUT_TOKENS)],
    },
    plan: { baseline_s: 3, after_s: 1, settle_s: 0.5, pulses: false, requests: REQUESTS },
    simulate: { load_w: IDLE_W, load_file: loads, seed: 3 },
  };
  writeFileSync(rig, JSON.stringify(content));
  const ended = await joulebench(["run", rig, "--out", session], { cwd: dir });
  expect(ended.stderr).not.toContain("joulebench:");
  expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  const results = readResults(session, ended);
  const requests = truth(loads);
  const sum = (pick: (each: (typeof requests)[number]) => number): number => requests.reduce((total, each) => total + pick(each), 0);
  expect(requests).toHaveLength(REQUESTS);
  expectWithin(results, "decode_energy_per_token", sum((each) => each.decode_j) / (REQUESTS * (OUTPUT_TOKENS - 1)), 0.02);
  expectWithin(results, "prefill_energy", sum((each) => each.prefill_j) / REQUESTS, 0.02);
  const request_j = sum((each) => each.prefill_j + each.decode_j);
  expectWithin(results, "request_energy_per_output_token", request_j / (REQUESTS * OUTPUT_TOKENS), 0.02);
  expectWithin(results, "tpot", tpot_s(loads), 0.02);
  const again = await joulebench(["analyze", session, "--json"], { cwd: dir });
  expect(JSON.parse(again.stdout)).toEqual(results);
  return results;
}

describe("joules per token of a real engine are those that it was made to draw", () => {
  const expectNoFault = ({ faults, clocks }: Results): void => {
    expect(faults.filter(({ source }) => source === "device")).toEqual([]);
    expect(clocks["device/0"]).toMatchObject({ clock_steps: 0 });
  };

  test("on a Raspberry Pi over ssh", async () => {
    const sshd = await startSshd({ tree: "pi" });
    try {
      const { host, port, user, key, knownHosts } = sshd;
      expectNoFault(await measured("ssh", { kind: "ssh", host, port, user, key, known_hosts: [knownHosts] }));
    } finally {
      await sshd.stop();
    }
  });

  test("on a phone over adb", async () => {
    const phone = await startPhone();
    try {
      expectNoFault(await measured("adb", { kind: "adb", serial: phone.serial, server_port: phone.serverPort }));
    } finally {
      await phone.close();
    }
  });
});
