import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mlperfPower } from "../../src/importers/mlperf-power.ts";
import type { ImportedFile } from "../../src/model/recording.ts";
import { integrate, unitWindows } from "./integrate.ts";

const folder = join(import.meta.dirname, "../realdata/mlperf-inf-v1.1-xavier-maxq-ssd-resnet34-singlestream");
type Edit = (text: string) => string;

/** The run's files, some of them edited as text. */
async function files(edits: Readonly<Record<string, Edit>> = {}): Promise<readonly ImportedFile[]> {
  const edited = (name: string, bytes: Uint8Array) =>
    edits[name] ? new TextEncoder().encode(edits[name](new TextDecoder().decode(bytes))) : bytes;
  return (await mlperfPower.collect(folder)).map(({ name, bytes }) => ({ name, bytes: edited(name, bytes) }));
}
const decode = async (edits: Readonly<Record<string, Edit>> = {}) => mlperfPower.decode(await files(edits));
const value = (recording: Awaited<ReturnType<typeof decode>>, method: string, name: string) =>
  recording.references.find((each) => each.method === method && each.name === name)?.value;

test("MLPerf's values as MLPerf computes them, labelled so", async () => {
  const recording = await decode();
  expect(value(recording, "MLPerf Power", "samples in window")).toBe(600);
  expect(value(recording, "MLPerf Power", "unit_mean_power")).toBeCloseTo(23.42204, 5);
  expect(Math.abs(value(recording, "MLPerf Power, point trapezoid", "unit_energy")! - 14058.6)).toBeLessThan(0.1);
  expect(value(recording, "MLPerf Power, point trapezoid", "unit_energy")).toBeCloseTo(14058.548, 3);
  expect(value(recording, "MLPerf Power", "unit_energy")).toBeCloseTo(23.42204 * 600.062, 3);
  // 29.6269 queries per second, by the log, for 600.062 s.
  expect(value(recording, "MLPerf Power", "energy_per_unit")).toBeCloseTo(23.42204 / 29.6269, 6);
});

test("the clock difference of the two hosts is reported with its range", async () => {
  const { loadgen } = (await decode()).clocks;
  expect(loadgen).toMatchObject({
    client_minus_server_s: expect.closeTo(-0.16978, 5),
    client_minus_server_least_s: expect.closeTo(-0.17106, 5),
    client_minus_server_largest_s: expect.closeTo(-0.1685, 4),
    exchanges: 3,
  });
  expect(loadgen!.u_s).toBeCloseTo((0.001279 + 1 / 64) / Math.sqrt(3), 5);
});

test("our own value: the window on the server's clock, each reading for its own length", async () => {
  const recording = await decode();
  const [from_s, to_s] = unitWindows(recording).get("performance run")!;
  expect(from_s).toBeCloseTo(15.744 + 0.16978, 4);
  expect(to_s - from_s).toBeCloseTo(600.062, 9);
  const ours = integrate(recording, from_s, to_s);
  expect(ours.covered_s).toBeCloseTo(600.062, 9);
  // By a script of its own: every reading times the distance to the one before it, the first and last in part. Above the
  // trapezoid by 9.4 J: 2.4 J for the clocks, 7 J because a reading stands for the second before its stamp.
  expect(ours.energy_j).toBeCloseTo(14067.958, 2);
  expect(recording.events.at(-1)).toMatchObject({ type: "unit_end", unit: "query", count: 17778 });
});

test("samples at 0 W and lines that are none leave a hole and are counted", async () => {
  const lines = (text: string) => text.split("\n");
  const recording = await decode({
    "spl.txt": (text) =>
      `PTDaemon\n${lines(text)
        .map((line, k) => (k === 100 ? line.replace(/Watts,[\d.]+/, "Watts,-1.0") : line))
        .join("\n")}`,
  });
  expect(recording.faults.map(({ code, count }) => [code, count])).toEqual([
    ["lost_samples", 1],
    ["unread_line", 2],
  ]);
  expect(integrate(recording, 16, 616).covered_s).toBeCloseTo(599, 1);
});

test("LoadGen 1.0 stamped in local time: the hosts' time zones apply, and everything comes out the same", async () => {
  const local = (text: string) =>
    text.replace(/(08-04-2021) (\d\d):/g, (_, day: string, hour: string) => `${day} ${String(Number(hour) - 7).padStart(2, "0")}:`);
  const utc = await decode();
  const shifted = await decode({ "spl.txt": local, "mlperf_log_detail.txt": (text) => local(text).replace('"1.1 @', '"1.0 @') });
  expect(shifted.references).toEqual(utc.references);
  expect(shifted.events).toEqual(utc.events);
});

test("stamps in the wrong time zone are refused, not integrated", async () => {
  const later = (text: string) => text.replace(/(08-04-2021) 15:/g, "$1 16:");
  await expect(decode({ "mlperf_log_detail.txt": later })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MLPerf import: 1 problem
      client.json: power_begin and power_end are 3615 s and 4215 s after the testing phase began, which lasted 619 s: another run, or another time zone]
  `);
  await expect(decode({ "spl.txt": later })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MLPerf import: 1 problem
      spl.txt: does not span power_begin to power_end: samples of another run, or cut short]
  `);
});

test("everything wrong is said at once", async () => {
  await expect(
    decode({
      "spl.txt": (text) =>
        `Time,yesterday,Watts,1\n${text.replace("15:01:52.958", "15:01:51.950").replace("Watts,8.760000", "Power,8.76")}`,
      "mlperf_log_detail.txt": (text) => text.replace('"power_begin"', '"begin"').replace('"key": "loadgen_version"', '"key": '),
      "client.json": (text) => text.replaceAll('"cmd": "time"', '"cmd": "date"'),
      "server.json": (text) => text.slice(0, 400),
    }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MLPerf import: 7 problems
      server.json:10: is not JSON
      mlperf_log_detail.txt:1: expected :::MLLOG {"key": …, "value": …}
      spl.txt:1: stamp is "yesterday", expected MM-DD-YYYY HH:MM:SS.mmm
      spl.txt:3: stamp 08-04-2021 15:01:51.950 does not rise
      spl.txt:5: has no Watts
      mlperf_log_detail.txt: has no power_begin with a time MM-DD-YYYY HH:MM:SS.mmm
      client.json: has no "time" exchange, so the difference of the two clocks is unknown]
  `);
  await expect(
    decode({
      "spl.txt": () => "",
      "client.json": (text) => text.replace('"timezone": 25200', '"timezone": "PDT"').replace('"testing"', '"test"'),
    }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: MLPerf import: 3 problems
      client.json: timezone: Invalid input: expected number, received string
      client.json: phases.testing: Invalid input: expected array, received undefined
      spl.txt: has no power sample; expected lines "Time,…,Watts,…"]
  `);
});

test("a folder laid out as a published submission is found too", async () => {
  const submission = await mkdtemp(join(tmpdir(), "joulebench-mlperf-"));
  for (const [name, part] of Object.entries({
    "client.json": "power",
    "server.json": "power",
    "spl.txt": "run_1",
    "mlperf_log_detail.txt": "run_1",
  })) {
    await mkdir(join(submission, part), { recursive: true });
    await copyFile(join(folder, name), join(submission, part, name));
  }
  expect(await mlperfPower.collect(submission)).toEqual(await files());
  await rm(submission, { recursive: true });
});

test("what is missing is named with the places it may be in", async () => {
  await expect(mlperfPower.collect(join(import.meta.dirname, "../scenarios"))).rejects.toThrow(
    "spl.txt is missing (looked for spl.txt, run_1/spl.txt); mlperf_log_detail.txt is missing",
  );
});
