import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Measurement } from "../../src/model/measurement.ts";
import type { Results } from "../../src/model/results.ts";
import { storedRig } from "../../src/rig/rig.ts";
import { analyzeSession } from "../../src/session/analysis.ts";
import { Decoder } from "../../src/session/decoder.ts";
import { provisional } from "../../src/session/live.ts";
import { Recorder } from "../../src/session/recorder.ts";
import { streams } from "../../src/session/streams.ts";
import { phonePlant } from "../../src/simulate/phone.ts";
import { readSessionFile } from "../../src/store/session-file.ts";
import { TapeReader } from "../../src/store/tape-reader.ts";
import { ROOT, readResults, scratch, startBridge, writeRig } from "./bench.ts";
import { type Ended, joulebench } from "./joulebench.ts";

/*
 * Two sessions measured in real time, side by side. `joulebench demo`; and a bench as with an Arduino, but for the
 * Arduino: real firmware in the emulator, behind a pseudo-terminal, read by serialport, INA219 at 11 + 11 bit and
 * 1 kHz, which are the rig's defaults.
 */

interface Comparison {
  readonly name: string;
  readonly value: number;
  readonly U: number;
  readonly truth: number;
  readonly inside: boolean;
}

const PROMPTS = 3;
const SEED = 5;

const { dir, remove } = scratch();
let demo: Ended;
let document: Results & { readonly truth: readonly Comparison[] };
let session: string;
let written: string;
const benchSession = join(dir, "bench", "session");
let bench: Ended;
let benched: Results;

async function measureBench(folder: string): Promise<Ended> {
  const [link, startFile] = [join(folder, "meter"), join(folder, "start.json")];
  const emulation = [`--seed=${SEED}`, `--prompts=${PROMPTS}`, `--start-file=${startFile}`];
  const bridge = await startBridge(link, ...emulation, "--clock-skew-ppm=-1200");
  const phone = [process.execPath, join(ROOT, "dist/simulate/phone-main.js"), ...emulation];
  const plan = "{ baseline_s: 4, after_s: 2, settle_s: 1, timeout_s: 60, ping_every_s: 2, pulses: false }";
  try {
    return await joulebench(["run", writeRig(folder, { port: link, command: phone, plan }), "--out", benchSession, "--json"], {
      cwd: folder,
    });
  } finally {
    await bridge.stop();
  }
}

beforeAll(async () => {
  mkdirSync(join(dir, "demo"));
  mkdirSync(join(dir, "bench"));
  [demo, bench] = await Promise.all([joulebench(["demo", "--json"], { cwd: join(dir, "demo") }), measureBench(join(dir, "bench"))]);
  session = join(dir, "demo", "sessions", readdirSync(join(dir, "demo", "sessions"))[0]!);
  written = readFileSync(join(session, "results.json"), "utf8");
  document = JSON.parse(demo.stdout) as typeof document;
  benched = readResults(benchSession, bench);
}, 110_000);
afterAll(remove);

describe("a bench behind a serial port", () => {
  test("20 s at 1 kHz: no frame and no sample is lost or damaged", () => {
    expect(benched.faults).toEqual([]);
    const blocks = [...analyzeSession(benchSession).recording.blocks()];
    expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(20_000);
    expect(blocks.filter(({ lostBefore, epoch }) => lostBefore > 0 || epoch > 0)).toEqual([]);
    for (const each of benched.measurements.filter((one) => one.phase === "decode" || one.phase === "prefill"))
      expect([each.name, each.coverage, each.flags]).toEqual([each.name, 1, []]);
  });

  test.each([
    "prefill_energy",
    "decode_energy_per_token",
    "decode_energy_per_token_net",
    "request_energy_per_output_token",
    "idle_power",
    "ttft",
    "tpot",
  ])("%s: the truth lies within ± U", (name) => {
    const truth = phonePlant({ seed: SEED, prompts: PROMPTS }).truth() as Readonly<Record<string, number>>;
    const { value, expanded_uncertainty } = benched.summary[name]!;
    expect(Math.abs(value - truth[name]!)).toBeLessThanOrEqual(expanded_uncertainty);
  });

  test("three prompts are too few for a headline: exit code 1, and the one document on stdout is results.json", () => {
    expect(bench.code).toBe(1);
    expect(bench.stdout).toBe(readFileSync(join(benchSession, "results.json"), "utf8"));
    expect(benched.validity.filter((each) => each.level === "FAIL" && !each.pass).map((each) => each.rule)).toEqual(["requests"]);
    expect(bench.stderr).toContain(`session kept in ${benchSession}`);
  });
});

describe("the demo", () => {
  test("ends by itself within a minute, valid", () => {
    expect(demo.code).toBe(0);
    expect(demo.lasted_s).toBeLessThan(60);
    expect(document.validity.filter((each) => each.level === "FAIL" && !each.pass)).toEqual([]);
  });

  test("finds the truth of every headline within ± U, and decode per token to 1.5 %", () => {
    expect(document.truth.map((each) => each.name)).toEqual(
      expect.arrayContaining(["prefill_energy", "decode_energy_per_token", "decode_energy_per_token_net", "idle_power", "ttft", "tpot"]),
    );
    for (const { name, value, U, truth, inside } of document.truth) {
      expect([name, inside]).toEqual([name, true]);
      expect(Math.abs(value - truth)).toBeLessThanOrEqual(U);
    }
    const { value, expanded_uncertainty, n } = document.summary.decode_energy_per_token!;
    expect(n).toBe(6);
    expect(expanded_uncertainty / value).toBeLessThanOrEqual(0.015);
  });

  test("leaves the files of a session and nothing else", () => {
    expect(readdirSync(join(dir, "demo"))).toEqual(["sessions"]);
    expect(readdirSync(session).sort()).toEqual(["events.jsonl", "results.json", "session.json", "tape"]);
    expect(readdirSync(join(session, "tape"))).toEqual(["000000.seg.gz"]);
    expect(readSessionFile(session)).toMatchObject({ state: "closed", origin: { run: true }, identities: { meter: { sensor: "ina219" } } });
    const events = readFileSync(join(session, "events.jsonl"), "utf8").trimEnd().split("\n");
    expect(events.map((line) => (JSON.parse(line) as { type: string }).type).filter((type) => type === "request_end")).toHaveLength(6);
  });

  test("writes results that name no path and no time of day", () => {
    expect(written).not.toMatch(/"[^"]*\/(?:tmp|home|dev|work|root|usr)\//);
    expect(written).not.toContain(dir);
    expect(written).not.toMatch(/\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d/);
    const { wallStart_ns } = readSessionFile(session);
    expect(written).not.toContain(wallStart_ns.slice(0, 7));
  });
});

describe("its session, analysed again", () => {
  test("gives the same bytes, twice, and on a copy elsewhere", async () => {
    const copy = join(dir, "another folder", "copy");
    cpSync(session, copy, { recursive: true });
    rmSync(join(copy, "results.json"));
    for (const folder of [session, session, copy]) {
      const { code, stdout } = await joulebench(["analyze", folder, "--json"], { cwd: dir });
      expect(code).toBe(0);
      expect(stdout).toBe(written);
      expect(readFileSync(join(folder, "results.json"), "utf8")).toBe(written);
    }
  });

  test("is valid to validate, whose JSON is the rules of results.json", async () => {
    const { code, stdout } = await joulebench(["validate", session, "--json"], { cwd: dir });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(document.validity);
  });

  test("with another shunt gives other energies, in a file beside the old", async () => {
    const rig = JSON.parse(readFileSync(join(session, "session.json"), "utf8")) as {
      rig: { instruments: { meter: { shunt_ohm: number } } };
    };
    rig.rig.instruments.meter.shunt_ohm = 0.2;
    writeFileSync(join(dir, "calibrated.yaml"), JSON.stringify(rig.rig));
    const { stdout } = await joulebench(["analyze", session, "--rig", "calibrated.yaml", "--json"], { cwd: dir });
    const halved = JSON.parse(stdout) as Results;
    expect(halved.summary.decode_energy_per_token!.value / document.summary.decode_energy_per_token!.value).toBeCloseTo(0.5, 6);
    expect(readFileSync(join(session, "results-calibrated.json"), "utf8")).toBe(stdout);
    expect(readFileSync(join(session, "results.json"), "utf8")).toBe(written);
    rmSync(join(session, "results-calibrated.json"));
  });

  test("shows what was shown while it was measured, provisional value by provisional value", () => {
    const { rig: stored } = readSessionFile(session);
    const rig = storedRig(stored, "session.json");
    const recorder = new Recorder(() => {});
    const seen: Measurement[] = [];
    provisional(streams(recorder.records$, new Decoder(rig), rig), rig).subscribe((each) => seen.push(each));
    for (const record of new TapeReader(join(session, "tape")).records()) recorder.append(record);
    const replayed = seen.filter((each) => each.name === "decode_energy_per_token");
    const live = [...demo.stderr.matchAll(/(r\d): ([\d.]+) J\/token \(provisional\)/g)].map(([, request, value]) => [request, value]);
    expect(live).toHaveLength(6);
    expect(replayed.map(({ request, value }) => [request, value!.toFixed(3)])).toEqual(live);
    const final = new Map(
      document.measurements.filter((each) => each.name === "decode_energy_per_token").map((each) => [each.request, each]),
    );
    for (const { request, value, flags } of replayed) {
      expect(flags).toContain("PROVISIONAL");
      expect(value! / final.get(request)!.value!).toBeCloseTo(1, 1);
    }
  });
});

describe.concurrent("its session, damaged", () => {
  const damaged = (name: string, damage: (folder: string) => void): string => {
    const folder = join(dir, name);
    cpSync(session, folder, { recursive: true });
    damage(folder);
    return folder;
  };
  const tapeOf = (folder: string): string => join(folder, "tape", "000000.seg.gz");
  const analyze = async (folder: string) => joulebench(["analyze", folder, "--json"], { cwd: dir });
  const fails = ({ validity }: Results): string[] =>
    validity.filter((each) => !each.pass && each.level === "FAIL").map((each) => each.rule);

  test.each([0.15, 0.6, 0.999])("with its tape cut at %d of its length: what is there counts, and the tape rule fails", async (share) => {
    const folder = damaged(`cut-${share}`, (each) => truncateSync(tapeOf(each), Math.floor(readFileSync(tapeOf(each)).length * share)));
    const { code, stdout, stderr } = await analyze(folder);
    expect([code, stderr]).toEqual([1, ""]);
    const results = JSON.parse(stdout) as Results;
    expect(fails(results)).toContain("tape");
    const whole = new Map(document.measurements.map((each) => [`${each.name}/${each.request}/${each.index}`, each.value]));
    const energies = results.measurements.filter((each) => each.name === "prefill_energy" && each.flags.length === 0);
    if (share > 0.5) expect(energies.length).toBeGreaterThan(1);
    for (const { name, request, index, value } of energies) expect(value! / whole.get(`${name}/${request}/${index}`)!).toBeCloseTo(1, 2);
  });

  test("with a byte turned over in the middle of its tape: the beginning counts, and the tape rule fails", async () => {
    const folder = damaged("turned", (each) => {
      const bytes = readFileSync(tapeOf(each));
      bytes[bytes.length >> 1]! ^= 0xff;
      writeFileSync(tapeOf(each), bytes);
    });
    const { code, stdout, stderr } = await analyze(folder);
    expect([code, stderr]).toEqual([1, ""]);
    const results = JSON.parse(stdout) as Results;
    expect(fails(results)).toContain("tape");
    expect(results.measurements.length).toBeGreaterThan(0);
    const verdict = await joulebench(["validate", folder], { cwd: dir });
    expect(verdict.code).toBe(1);
    expect(verdict.stdout).toMatch(/FAIL\s+tape/);
  });

  const edited =
    (change: (file: Record<string, unknown>) => void) =>
    (folder: string): void => {
      const path = join(folder, "session.json");
      const file = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
      change(file);
      writeFileSync(path, JSON.stringify(file));
    };

  test("never closed, as when the machine was switched off: it is said, and the events are written again", async () => {
    const folder = damaged(
      "killed",
      edited((file) => (file.state = "recording")),
    );
    const events = readFileSync(join(folder, "events.jsonl"), "utf8");
    rmSync(join(folder, "events.jsonl"));
    mkdirSync(join(folder, "trace"), { recursive: true });
    const { code, stdout, stderr } = await analyze(folder);
    expect([code, stdout]).toEqual([0, written]);
    expect(stderr).toContain("was never closed");
    expect(readFileSync(join(folder, "events.jsonl"), "utf8")).toBe(events);
  });
});
