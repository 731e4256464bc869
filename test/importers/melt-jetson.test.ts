import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { melt } from "../../src/importers/melt.ts";
import { toSession } from "../../src/model/clock.ts";
import type { PowerRecording } from "../../src/model/recording.ts";
import { measured } from "../ground-truth/measured.ts";
import { mapOf } from "./integrate.ts";
import { asFiles, type Texts } from "./melt-folder.ts";
import { AGX, BEGAN_S, JETSON_PROMPTS, LOAD, llamaCppJetsonFolder, mlcCliFolder, trueEnergy_j } from "./melt-jetson-folder.ts";

const decode = (texts: Texts): PowerRecording => melt.decode(asFiles(texts));
const prompt = (k: number): string => `iter0 conv0 prompt${k}`;
const at = (recording: PowerRecording, request: string, type: string): number[] =>
  recording.events
    .filter((event) => event.request === request && event.type === type)
    .map(({ source, tick }) => toSession(mapOf(recording, source), tick));
const details = (recording: PowerRecording): string =>
  recording.faults
    .filter(({ code }) => code === "known_defect")
    .map(({ detail }) => detail)
    .join("\n");

/** MELT's compute_power_performance on the log's rows between two epochs, as its Python has it: bfill, dropna, diff. */
function asMeltDoes(log: string, rail: string, from_s: number, to_s: number): { mwh: number; mah: number } {
  const rows = log.split("\n").flatMap((line) => {
    const [time, label, value, unit] = line.split(" ");
    const time_s = Number(time) / 1e9;
    return unit === undefined || time_s <= from_s || time_s >= to_s ? [] : [{ time_s, label: label!.slice(0, -1), value: Number(value) }];
  });
  let next = Number.NaN;
  const volts = rows.toReversed().map(({ label, value }) => {
    if (label === `voltage_${rail}`) next = value / 1000;
    return next;
  });
  volts.reverse();
  const kept = rows.flatMap(({ label, time_s, value }, k) =>
    label === `current_${rail}` && !Number.isNaN(volts[k]) ? [{ time_s, ma: value, v: volts[k]! }] : [],
  );
  const steps_h = kept.map(({ time_s }, k) => (k === 0 ? 0 : (time_s - kept[k - 1]!.time_s) / 3600));
  const sum = (of: (k: number) => number): number => kept.reduce((total, _, k) => total + of(k), 0);
  return { mwh: sum((k) => kept[k]!.ma * kept[k]!.v * steps_h[k]!), mah: sum((k) => kept[k]!.ma * steps_h[k]!) };
}

test("MLC on a Jetson: energies of its module's input, within what 100 instants a second leave open", () => {
  const recording = decode(mlcCliFolder());
  expect(recording.measurand).toMatchObject({ channel: "vdd_in", accuracy: { currentResolution_a: 0.008 } });
  expect(recording.measurand.accuracy.gain).toBeCloseTo(Math.SQRT2 * (0.0025 / Math.sqrt(3)), 12);
  expect(recording.clocks.meter?.accuracy).toContain("INA3221");
  const { one, results } = measured(recording);
  for (const [k, { start_s, end_s }] of JETSON_PROMPTS.entries()) {
    const { value, uncertainty, flags } = one("request_energy", prompt(k));
    expect(Math.abs(value! - trueEnergy_j(start_s, end_s))).toBeLessThan(2 * uncertainty!);
    expect(uncertainty! / value!).toBeLessThan(0.02);
    expect(flags).toEqual(["TOTALS_ONLY", "POINT_SAMPLER"]);
  }
  const load = one("load_energy");
  expect(Math.abs(load.value! - trueEnergy_j(LOAD.start_s, LOAD.end_s))).toBeLessThan(2 * load.uncertainty!);
  expect(results.faults.filter(({ code }) => code !== "known_defect")).toEqual([]);
});

test("MLC on a Jetson: the first token by the engine's rate, or where the one prefill that is left ended", () => {
  const recording = decode(mlcCliFolder());
  for (const [k, { first_s, input, decoded }] of JETSON_PROMPTS.entries()) {
    expect(at(recording, prompt(k), "first_token")[0]).toBeCloseTo(first_s, k === 0 ? 3 : 6);
    expect(at(recording, prompt(k), "token")).toEqual([]);
    const of = (type: string) => recording.events.find((event) => event.request === prompt(k) && event.type === type);
    expect(of("first_token")?.tokens).toBe(input);
    expect(of("request_end")?.outputTokens).toBe(decoded + 1);
  }
  expect(mapOf(recording, "host").pieces[0]!.u_s).toBe(0.02);
  expect(details(recording)).toMatchInlineSnapshot(`
    "unpaired: current and voltage are read one after the other; MELT multiplies each current by the next voltage
    point sampler: the log has instants, 100 a second at best; what happens between them is in nobody's sum
    sum of rails: MELT's notebook adds rails and leaves VDD_IN out, which is what the module takes in
    no voltage: MELT's script loses it for the prompts of MLC, and its energies are exactly 0
    overwritten events: prompt after prompt and token after token is chat.0.0.decode.0, so no token has a time; totals only"
  `);
});

test("MELT's own values: exactly 0 for MLC's prompts, as its script has it, and for the load what its sum gives", () => {
  const texts = mlcCliFolder();
  const { references } = decode(texts);
  const prompts = references.filter(({ request }) => request === prompt(0));
  expect(prompts).toHaveLength(2 * 3);
  for (const { value, detail } of prompts) {
    expect(value).toBe(0);
    expect(detail).toContain("no voltage is left");
  }
  for (const rail of ["VDD_IN", "VDD_SOC"]) {
    const load = references.find((each) => each.name === "load_energy" && each.detail === rail)!;
    const { mwh } = asMeltDoes(texts["energy_iter0.log"]!, rail, BEGAN_S + LOAD.start_s, BEGAN_S + LOAD.end_s);
    expect(load).toMatchObject({ method: "MELT (its method)", unit: "J", request: "iter0 conv0", value: expect.closeTo(mwh * 3.6, 5) });
  }
});

test("llama.cpp on a Jetson: one clock, so tokens are where they were stamped, and MELT's values are not 0", () => {
  const texts = llamaCppJetsonFolder();
  const recording = decode(texts);
  for (const [k, { start_s, first_s, end_s, decoded }] of JETSON_PROMPTS.entries()) {
    const times = [...at(recording, prompt(k), "first_token"), ...at(recording, prompt(k), "token")];
    expect(times).toHaveLength(decoded + 1);
    for (const [i, time_s] of times.entries()) expect(time_s).toBeCloseTo(first_s + ((end_s - first_s) * i) / decoded, 6);
    const { mwh, mah } = asMeltDoes(texts["energy_iter0.log"]!, "VDD_IN", BEGAN_S + start_s, BEGAN_S + start_s + (end_s - start_s));
    const of = (name: string) =>
      recording.references.find((each) => each.name === name && each.request === prompt(k) && each.detail?.startsWith("VDD_IN,"));
    expect(of("energy_pt")!.value).toBeCloseTo(mwh / decoded, 6);
    expect(of("discharge_pt")!.value).toBeCloseTo(mah / decoded, 6);
    expect((of("energy_pt")!.value * decoded * 3.6) / trueEnergy_j(start_s, end_s)).toBeCloseTo(1, 1);
  }
  expect(mapOf(recording, "host").pieces[0]!.u_s).toBe(0.02);
  expect(details(recording)).not.toContain("two clocks");
});

test("zones are read, but for those that are off", () => {
  const { readings } = decode(mlcCliFolder());
  expect(new Set(readings.map(({ channel }) => channel))).toEqual(new Set(["temperature_degc:CPU-therm"]));
  expect(readings[100]).toMatchObject({ value: expect.closeTo(42.1, 6) });
});

test("a board without a rail of its input: the rig says which rails make it up, and never the input with its parts", () => {
  const texts = mlcCliFolder(AGX);
  expect(() => decode(texts)).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MELT import: 1 problem
      energy_iter0.log: has VDD_CPU_CV, VDD_GPU_SOC, VIN_SYS_5V0, not VDD_IN; name in rig.json, as rails, those that together make up what the module takes in]
  `);
  const rails = ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"];
  const recording = decode({ ...texts, "rig.json": JSON.stringify({ rails }) });
  expect(recording.measurand.channel).toBe("vdd_gpu_soc+vdd_cpu_cv+vin_sys_5v0");
  const { value, uncertainty } = measured(recording).one("request_energy", prompt(1));
  const [, { start_s, end_s }] = JETSON_PROMPTS;
  expect(Math.abs(value! - trueEnergy_j(start_s, end_s))).toBeLessThan(2 * uncertainty!);
  const twice = { ...mlcCliFolder(), "rig.json": JSON.stringify({ rails: ["VDD_IN", "VDD_SOC"] }) };
  expect(() => decode(twice)).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MELT import: 1 problem
      rig.json: rails: VDD_IN is the whole module's input and contains the others; name it alone]
  `);
});

test("a line broken into by a stray number is counted and quoted, its neighbours are kept", () => {
  const texts = mlcCliFolder();
  const lines = texts["energy_iter0.log"]!.split("\n");
  const struck = lines.findIndex((line) => line.includes("current_VDD_IN"));
  lines[struck] = `8191${lines[struck]}`;
  const { faults } = decode({ ...texts, "energy_iter0.log": lines.join("\n") });
  expect(faults.filter(({ code }) => code === "unread_line")).toMatchObject([
    { count: 1, detail: expect.stringContaining('"81911795218247') },
  ]);
});

test("a sweep that never came is a gap, late ones are none", () => {
  const texts = mlcCliFolder();
  const lines = texts["energy_iter0.log"]!.split("\n");
  const without = (from_s: number, to_s: number) =>
    lines.filter((line) => !(Number(line.slice(0, 19)) / 1e9 - BEGAN_S >= from_s && Number(line.slice(0, 19)) / 1e9 - BEGAN_S < to_s));
  const faults = (from_s: number, to_s: number) =>
    decode({ ...texts, "energy_iter0.log": without(from_s, to_s).join("\n") }).faults.filter(({ code }) => code !== "known_defect");
  expect(faults(3, 3.03)).toEqual([]);
  expect(faults(3, 3.2)).toMatchObject([{ code: "gap", count: 1 }]);
});

test("what a terminal without enough answers lacks is told", () => {
  const texts = mlcCliFolder();
  const silent = { ...texts, "llm_output_iter0_conv0.txt": "spawn mlc_chat chat\r\n[INST]: /stats\r\n" };
  expect(() => decode(silent)).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MELT import: 1 problem
      llm_output_iter0_conv0.txt: has answers to /stats of 0 prompts, expected 2]
  `);
});

test("a folder is read from where jetsonlab puts its files", async () => {
  const folder = await mkdtemp(join(tmpdir(), "joulebench-melt-"));
  await mkdir(join(folder, "melt_measurements"));
  for (const [name, text] of Object.entries(mlcCliFolder()))
    await writeFile(join(folder, name.startsWith("energy") ? "" : "melt_measurements", name), text);
  const files = await melt.collect(folder);
  expect(files.map(({ name }) => name)).toEqual([
    "energy_iter0.log",
    "llm_output_iter0_conv0.txt",
    "measurements_iter0_conv0.csv",
    "measurements_iter0_conv0.tsv",
  ]);
  await rm(folder, { recursive: true });
});
