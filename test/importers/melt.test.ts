import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { melt } from "../../src/importers/melt.ts";
import { toSession } from "../../src/model/clock.ts";
import type { PowerRecording } from "../../src/model/recording.ts";
import { integrate, mapOf } from "./integrate.ts";
import {
  asFiles,
  CALIBRATION_S,
  ENGINE_S,
  llamaCppFolder,
  llmFarmFolder,
  mlcFolder,
  PROMPTS,
  phone,
  type Texts,
  tokenTimes,
} from "./melt-folder.ts";
import { trueEnergy_j } from "./monsoon-rows.ts";

const decode = (texts: Texts): PowerRecording => melt.decode(asFiles(texts));
/** Session zero is the second in which the power began. */
const truth = (session_s: number): number => session_s + Math.floor(ENGINE_S + CALIBRATION_S) - ENGINE_S;
const at = (recording: PowerRecording, request: string, type: string): number[] =>
  recording.events
    .filter((event) => event.request === request && event.type === type)
    .map(({ source, tick }) => truth(toSession(mapOf(recording, source), tick)));
const details = (recording: PowerRecording): string =>
  recording.faults
    .filter(({ code }) => code === "known_defect")
    .map(({ detail }) => detail)
    .join("\n");

/** MELT's powerlib.compute_power_performance over the rows strictly between two epochs, as its Python has it. */
function asMeltDoes(texts: Texts, start_s: number, end_s: number): { mwh: number; mah: number } {
  const zero_s = Number(texts[".t_monsoon"]);
  const rows = texts["measurements_monsoon.csv"]!.trim()
    .split("\n")
    .map((line) => line.split(",").map(Number) as [number, number, number]);
  const inside = rows.map(([time, ma, v]) => [time + zero_s, ma, v] as const).filter(([time]) => time > start_s && time < end_s);
  const steps_h = inside.map(([time], k) => (k === 0 ? 0 : time - inside[k - 1]![0]) / 3600);
  const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
  return { mwh: sum(inside.map(([, ma, v], k) => ma * v * steps_h[k]!)), mah: sum(inside.map(([, ma], k) => ma * steps_h[k]!)) };
}

test("the power is where it was: MELT's shift by the calibration is taken back", () => {
  const recording = decode(mlcFolder());
  expect(recording.clocks.meter).toMatchObject({ melt_late_s: expect.closeTo(CALIBRATION_S, 1) });
  for (const { start_s, end_s } of PROMPTS) {
    const [from, to] = [start_s - 1e-3, end_s + 1e-3].map((time_s) => time_s - truth(0)) as [number, number];
    const true_j = trueEnergy_j(phone, start_s, end_s);
    expect(Math.abs(integrate(recording, from, to).energy_j - true_j)).toBeLessThan(9 * 0.015);
  }
  expect(mapOf(recording, "meter").pieces[0]!.u_s).toBeLessThan(0.01);
  // With the zero that rig.json states there is nothing left to guess.
  const stated = decode({ ...mlcFolder(), "rig.json": JSON.stringify({ power_zero_s: ENGINE_S }) });
  const [{ start_s, end_s }] = PROMPTS;
  expect(integrate(stated, start_s - truth(0), end_s - truth(0)).energy_j / trueEnergy_j(phone, start_s, end_s)).toBeCloseTo(1, 3);
});

test("of the Monsoon's accuracy nothing is known, unless the rig states it", () => {
  expect(decode(mlcFolder()).clocks.meter?.accuracy).toMatch(/counts as exact/);
  const stated = decode({ ...mlcFolder(), "rig.json": '{"gain_uncertainty":0.006}' });
  expect(stated.measurand.accuracy.gain).toBe(0.006);
  expect(stated.clocks.meter).not.toHaveProperty("accuracy");
});

test("MELT's own values stand beside, by its method and with its shift", () => {
  const texts = mlcFolder();
  const { references } = decode(texts);
  const of = (name: string, request: string) => references.find((each) => each.name === name && each.request === request)!;
  for (const [p, { start_s, end_s, tokens }] of PROMPTS.entries()) {
    const { mwh, mah } = asMeltDoes(texts, ENGINE_S + start_s, ENGINE_S + start_s + (end_s - start_s));
    expect(of("energy_pt", `iter0 conv0 prompt${p}`)).toMatchObject({
      method: "MELT (its method)",
      unit: "mWh",
      value: expect.closeTo(mwh / (tokens - 1), 9),
    });
    expect(of("discharge_pt", `iter0 conv0 prompt${p}`)).toMatchObject({ unit: "mAh", value: expect.closeTo(mah / (tokens - 1), 9) });
    expect(of("request_energy", `iter0 conv0 prompt${p}`).value).toBeCloseTo(mwh * 3.6, 9);
    // Half a second of a prompt of one second is what came before it, to MELT.
    expect((mwh * 3.6) / trueEnergy_j(phone, start_s, end_s)).toBeLessThan(0.75);
  }
  // By numpy from the same files: ((p * dt)[(t > start) & (t < end)]).sum() / output_tokens, mWh and mAh.
  expect(of("energy_pt", "iter0 conv0 prompt0").value).toBeCloseTo(0.12352927400412383, 12);
  expect(of("discharge_pt", "iter0 conv0 prompt1").value).toBeCloseTo(0.027544051011403402, 12);
  expect(of("load_energy", "iter0 conv0").value).toBeCloseTo(asMeltDoes(texts, ENGINE_S + 0.6, ENGINE_S + 1).mwh * 3.6, 6);
});

test("MLC on Android: the first token comes from the prefill, the decodes of the conversation are dealt to their prompts", () => {
  const recording = decode(mlcFolder());
  for (const [p, prompt] of PROMPTS.entries()) {
    const name = `iter0 conv0 prompt${p}`;
    const times = [...at(recording, name, "first_token"), ...at(recording, name, "token")];
    expect(times).toHaveLength(prompt.tokens);
    for (const [k, time_s] of times.entries()) expect(Math.abs(time_s - tokenTimes(prompt)[k]!)).toBeLessThan(1.001e-3);
    expect(at(recording, name, "request_end")[0]).toBeCloseTo(prompt.end_s, 6);
    expect(recording.events.find((event) => event.request === name && event.type === "request_end")?.outputTokens).toBe(prompt.tokens);
  }
  expect(mapOf(recording, "phone").pieces[0]!.u_s).toBe(0.5);
  expect(details(recording)).toMatchInlineSnapshot(`
    "shared stamps: 34981 rows have 11661 stamps; in MELT's sum only the first row of each stamp has weight
    shifted power: MELT places it 0.494 s late, by the meter's calibration; here it is moved back
    no common clock: nothing relates the phone's clock to the computer's; MELT takes its times as they are
    token count: the first token of each prompt is not among those MELT divides by
    per token twice: MELT's notebook for phones divides discharge_pt by the tokens again; the value here is divided once
    stamps of 1 ms, written as nanoseconds: tokens can share one"
  `);
});

test("LLMFarm on an iPhone: set to whole seconds once, so it is behind by half of one, give or take", () => {
  const recording = decode(llmFarmFolder(0.5));
  expect(mapOf(recording, "phone").pieces[0]!.u_s).toBeCloseTo(1 / Math.sqrt(12), 12);
  for (const [p, prompt] of PROMPTS.entries()) {
    const name = `iter0 conv0 prompt${p}`;
    const times = [...at(recording, name, "first_token"), ...at(recording, name, "token")];
    for (const [k, time_s] of times.entries()) expect(time_s).toBeCloseTo(tokenTimes(prompt)[k]!, 5);
    expect(recording.events.find((event) => event.request === name && event.type === "first_token")?.tokens).toBe(42);
  }
  expect(recording.readings).toMatchObject([{ channel: "thermal_state:phone", value: "fair" }]);
  expect(details(recording)).toContain("the iPhone was set once, to whole seconds");
});

test.each([[3.2], [-0.4], [0]])("llama.cpp: tokens of a phone %s s behind are put where they caused the prompts to end", (behind_s) => {
  const recording = decode(llamaCppFolder(behind_s));
  const { u_s } = mapOf(recording, "host").pieces[0]!;
  for (const [p, prompt] of PROMPTS.entries()) {
    const name = `iter0 conv0 prompt${p}`;
    const times = [...at(recording, name, "first_token"), ...at(recording, name, "token")];
    expect(times).toHaveLength(prompt.tokens);
    for (const [k, time_s] of times.entries()) expect(Math.abs(time_s - tokenTimes(prompt)[k]!)).toBeLessThan(2 * u_s);
  }
  expect(u_s).toBeLessThan(0.08);
  expect(recording.references.filter(({ name }) => name === "energy_pt")).toHaveLength(2);
  expect(details(recording)).toContain("two clocks");
});

test("llama.cpp without the device's events: totals only, and the first token after the evaluation of the prompt", () => {
  const { "measurements_iter0_conv0.tsv": _, ...texts } = llamaCppFolder(0);
  const recording = decode(texts);
  const [{ start_s, first_s, tokens }] = PROMPTS;
  expect(at(recording, "iter0 conv0 prompt0", "first_token")[0]).toBeCloseTo(start_s - 0.02 + (first_s - start_s), 6);
  expect(at(recording, "iter0 conv0 prompt0", "token")).toEqual([]);
  expect(recording.events.find(({ type }) => type === "request_end")?.outputTokens).toBe(tokens);
  expect(details(recording)).toContain("1 conversations whose tokens could not be joined");
});

test("what else a folder may show: ISO times, NumPy 2, late iterations", () => {
  const texts = mlcFolder();
  const iso = texts["measurements_iter0.json"]!.replaceAll(
    /"start":(\d+\.?\d*)/g,
    (_, s: string) => `"start":"${new Date(Number(s) * 1000).toISOString()}"`,
  );
  const numpy = texts["measurements_monsoon.csv"]!.replaceAll(/[\d.]+(?:e-?\d+)?(?=,)/g, (each) => `np.float64(${each})`);
  const recording = decode({
    ...texts,
    "measurements_iter0.json": iso,
    "measurements_monsoon.csv": numpy,
    "measurements_iter10.json": iso,
  });
  expect(details(recording)).toContain("UTC as local");
  expect(details(recording)).toContain("NumPy 2 spelling");
  expect(details(recording)).toContain("1 iterations from the tenth on");
  expect(recording.references.some(({ request }) => request?.startsWith("iter10"))).toBe(true);
  expect(recording.references.some(({ request, name }) => request?.startsWith("iter10") && name === "energy_pt")).toBe(false);
  expect(at(recording, "iter0 conv0 prompt0", "request_start")[0]).toBeCloseTo(PROMPTS[0].start_s, 3);
});

test("without any event of tokens a prompt is still measured", () => {
  const { "measurements_iter0_conv0.csv": _, ...texts } = mlcFolder();
  const byRate = decode(texts);
  expect(at(byRate, "iter0 conv0 prompt0", "first_token")[0]).toBeCloseTo(PROMPTS[0].start_s + 40 / 160, 6);
  const bare = decode({
    ...texts,
    "measurements_iter0.json": texts["measurements_iter0.json"]!.replaceAll(/"runtimeStats":"(?:[^"\\]|\\.)*"/g, '"runtimeStats":""'),
  });
  expect(bare.events.filter(({ type }) => type === "unit_start")).toHaveLength(2);
});

test("a folder is read from where MELT puts its files; what is missing is told together", async () => {
  const folder = await mkdtemp(join(tmpdir(), "joulebench-melt-"));
  await expect(melt.collect(folder)).rejects.toThrow("measurements_monsoon.csv is missing; .t_monsoon is missing");
  await mkdir(join(folder, "melt_measurements"));
  for (const [name, text] of Object.entries(mlcFolder())) {
    const beside = name.includes("_iter");
    await writeFile(join(folder, beside ? "melt_measurements" : "", name), text);
  }
  const files = await melt.collect(folder);
  expect(files.map(({ name }) => name)).toEqual([
    "measurements_monsoon.csv",
    ".t_monsoon",
    "configuration.json",
    "measurements_iter0.json",
    "measurements_iter0_conv0.csv",
  ]);
  expect(melt.decode(files).events).toHaveLength(2 + 2 * 18);
  await rm(folder, { recursive: true });
});

test("what cannot be read is told, all at once", () => {
  const texts = mlcFolder();
  expect(() =>
    decode({
      ...texts,
      ".t_monsoon": "soon",
      "measurements_iter0.json": '[{"questionRecords":[{"time":{"start":"then"}}]}]',
      "rig.json": "{]",
    }),
  ).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MELT import: 6 problems
      rig.json:1: is not JSON
      .t_monsoon: expected one number, seconds since 1970
      measurements_iter0.json: 0.questionRecords.0.time.start: Invalid input
      measurements_iter0.json: 0.questionRecords.0.time.duration: Invalid input: expected number, received undefined
      measurements_iter0.json: 0.questionRecords.0.input_tokens: Invalid input: expected number, received undefined
      measurements_iter0.json: 0.questionRecords.0.output_tokens: Invalid input: expected number, received undefined]
  `);
  expect(() => decode({ ...texts, "measurements_iter0_conv0.csv": "prefill.0.start 12\n" })).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MELT import: 1 problem
      measurements_iter0_conv0.csv:1: expected an event and nanoseconds since 1970, found "prefill.0.start 12"]
  `);
  const { "measurements_iter0.json": _, ...none } = texts;
  expect(() => decode(none)).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MELT import: 1 problem
      melt_measurements: has no prompt; expected measurements_iter0.json, or measurements_iter0_conv0.csv of llama.cpp or MLC]
  `);
  expect(() => decode({ ...texts, ".t_monsoon": `${ENGINE_S - 3600}` })).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MELT import: 1 problem
      melt_measurements: the first prompt is 3601 s after the power began, which lasted 8 s: another run, or another time zone]
  `);
  expect(() => decode({ ...llamaCppFolder(0), "llm_output_iter0_conv0.txt": "" })).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MELT import: 1 problem
      llm_output_iter0_conv0.txt: has llama_print_timings of 0 prompts, expected 2]
  `);
});
