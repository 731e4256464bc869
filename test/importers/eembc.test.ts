import { join } from "node:path";
import { expect, test } from "vitest";
import { eembc } from "../../src/importers/eembc.ts";
import type { ImportedFile } from "../../src/model/recording.ts";
import { integrate, listBlocks, unitWindows } from "./integrate.ts";

const folder = (benchmark: string) => join(import.meta.dirname, `../realdata/mlperf-tiny-v1.0-U575-${benchmark}`);
const text = (content: string) => new TextEncoder().encode(content);

/** The files of the image classification run, some of them replaced. */
async function files(replaced: Readonly<Record<string, Uint8Array>> = {}): Promise<readonly ImportedFile[]> {
  const all = await eembc.collect(folder("ic"));
  return all.map((file) => ({ ...file, bytes: replaced[file.name] ?? file.bytes }));
}

test.each(["ic", "ad"])("every published window energy of U575-%s within 100 ppm", async (benchmark) => {
  const recording = eembc.decode(await eembc.collect(folder(benchmark)));
  const windows = unitWindows(recording);
  const published = recording.references.filter((each) => each.request !== undefined);
  expect(published).toHaveLength(5);
  for (const { request, value } of published) {
    const [from_s, to_s] = windows.get(request!)!;
    const ours = integrate(recording, from_s, to_s);
    expect(Math.abs(ours.energy_j / value - 1)).toBeLessThan(100e-6);
    expect(ours.covered_s).toBeCloseTo(to_s - from_s, 9);
  }
});

test("events, references and clocks say what the session says", async () => {
  const recording = eembc.decode(await files());
  expect(recording.events.slice(0, 2)).toEqual([
    { type: "unit_start", source: "io-manager", epoch: 0, request: "window 2", tick: 10.877, unit: "inference", model: "ic01" },
    { type: "unit_end", source: "io-manager", epoch: 0, request: "window 2", tick: 23.377, unit: "inference", model: "ic01", count: 90 },
  ]);
  expect(recording.references[0]).toEqual({
    method: "EEMBC EnergyRunner (published)",
    name: "unit_energy",
    value: expect.closeTo(0.32868008, 12),
    unit: "J",
    request: "window 2",
  });
  expect(recording.references.at(-1)).toMatchObject({ name: "energy_per_unit", value: expect.closeTo(3641.998e-6, 12) });
  expect(recording.measurand.accuracy.gain).toBeCloseTo(0.02 / Math.sqrt(3), 12);
  expect(recording.maps.map(({ source, pieces }) => [source, pieces[0]!.rate_hz])).toEqual([
    ["emon", 1000],
    ["io-manager", 1],
  ]);
});

test("blocks are contiguous, hold at most 4096 samples and come again", async () => {
  const recording = eembc.decode(await files());
  let next = 0;
  for (const block of recording.blocks()) {
    expect([block.startTick, block.lostBefore]).toEqual([next, 0]);
    expect(block.length).toBeLessThanOrEqual(4096);
    next += block.length;
  }
  expect(next).toBe(114_688);
  expect(listBlocks(recording)).toEqual(listBlocks(recording));
});

test("a trace that is no trace is refused", async () => {
  const [trace] = await files();
  const decode = async (bytes: Uint8Array) => eembc.decode(await files({ "trace1-energy.bin": bytes }));
  await expect(decode(trace!.bytes.subarray(0, 4))).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: EEMBC import: 1 problem
      trace1-energy.bin: has 4 bytes, expected 0xF1, a float32 rate and float32 samples]
  `);
  await expect(decode(trace!.bytes.subarray(0, 1003))).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: EEMBC import: 1 problem
      trace1-energy.bin: ends inside a sample (2 bytes too many): the copy was cut short]
  `);
  await expect(decode(trace!.bytes.slice(1))).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: EEMBC import: 1 problem
      trace1-energy.bin: begins with 0x00, expected 0xF1: this is no EnergyRunner trace]
  `);
  await expect(decode(Uint8Array.of(0xf1, 0, 0, 0, 0, 0, 0, 0, 0))).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: EEMBC import: 1 problem
      trace1-energy.bin: states 0 samples per second, expected a rate above 0]
  `);
  await expect(decode(Uint8Array.of(0xf1, 0, 0, 0x7a, 0x44, 0, 0, 0xc0, 0x7f))).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: EEMBC import: 1 problem
      trace1-energy.bin: sample 0 is not a finite number]
  `);
});

test("a trace that ends before the last window is still a trace: the window is not covered", async () => {
  const [trace] = await files();
  const recording = eembc.decode(await files({ "trace1-energy.bin": trace!.bytes.subarray(0, 5 + 4 * 110_000) }));
  const [from_s, to_s] = unitWindows(recording).get("window 10")!;
  expect(integrate(recording, from_s, to_s).covered_s).toBeCloseTo(110 - from_s, 9);
});

test("everything wrong with the texts is said at once", async () => {
  const results =
    "window 2\n00141.5 ulp-ml: Energy data for window 2 at time 12.00 for 12.50 sec.:\n  Energy : 5.0 uJ\nEnergy data for window 20 at time 1.00 for 1.00 sec.\n";
  const decode = async (replaced: Readonly<Record<string, Uint8Array>>) => eembc.decode(await files(replaced));
  await expect(
    decode({
      "results.txt": text(results),
      "trace1-timestamps.json": text("[0.016, 10.877, 23.377, 23.0]"),
      "trace1-energy.bin": text("text"),
    }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: EEMBC import: 7 problems
      trace1-energy.bin: has 4 bytes, expected 0xF1, a float32 rate and float32 samples
      trace1-timestamps.json: time 23 after 23.377, expected rising times
      results.txt:2: window 2 has no line "# Inferences : …"
      results.txt:2: window 2 at 12 s for 12.5 s is not 10.877 to 23.377 s, as trace1-timestamps.json has it: files of two sessions?
      results.txt:4: window 20 has no line "Energy : … uJ"
      results.txt:4: window 20 has no line "# Inferences : …"
      results.txt:4: window 20 needs 21 times in trace1-timestamps.json, which has 4]
  `);
  await expect(
    decode({ "results.txt": text(""), "trace1-timestamps.json": text("[0.016, 10.877") }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: EEMBC import: 2 problems
      trace1-timestamps.json:1: is not JSON
      results.txt: names no window; expected lines "Energy data for window N at time S for S sec."]
  `);
  await expect(decode({ "trace1-timestamps.json": text('{"a": 1}') })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: EEMBC import: 1 problem
      trace1-timestamps.json: Invalid input: expected array, received object]
  `);
});

test("a folder without its files is named, with all that is missing", async () => {
  const here = import.meta.dirname;
  await expect(eembc.collect(join(here, "../scenarios"))).rejects.toThrow(
    "scenarios: trace1-energy.bin is missing; trace1-timestamps.json is missing; results.txt is missing; log.txt is missing",
  );
  await expect(eembc.collect(join(here, "nowhere"))).rejects.toThrow("nowhere: cannot read this folder (ENOENT)");
  await expect(eembc.collect(import.meta.filename)).rejects.toThrow("is a file; name the folder that holds the recording");
});
