import { expect, test } from "vitest";
import { generic } from "../../src/importers/generic.ts";
import type { ImportedFile } from "../../src/model/recording.ts";
import { integrate, listBlocks } from "./integrate.ts";

const events = '{"type":"request_start","request":"r1","time_s":0.1}\n{"type":"request_end","request":"r1","time_s":0.3}\n';

function files(texts: Readonly<Record<string, string>>): readonly ImportedFile[] {
  return Object.entries({ "events.jsonl": events, ...texts }).map(([name, text]) => ({ name, bytes: new TextEncoder().encode(text) }));
}
const decode = (power: string, others: Readonly<Record<string, string>> = {}) => generic.decode(files({ "power.csv": power, ...others }));
const rows = (times_s: readonly (number | string)[]) =>
  `time_s,power_w\n${times_s.map((time) => (time === "" ? "" : `${time},5`)).join("\n")}\n`;
const shape = (power: string, rig: object = {}) =>
  (listBlocks(decode(power, { "rig.json": JSON.stringify(rig) })) as { startTick: number; ticks: number[]; lostBefore: number }[]).map(
    ({ startTick, ticks, lostBefore }) => [startTick, ticks, lostBefore],
  );

test("a plain folder: power of each interval up to its time", () => {
  const recording = decode("time_s,power_w\n0.1,1\n0.2,2\n0.3,4\n");
  expect(listBlocks(recording)).toEqual([{ startTick: 0, ticks: [0.1, 0.2, 0.3], lostBefore: 0, columns: { "main.power_w": [1, 2, 4] } }]);
  expect(integrate(recording, 0.05, 0.25).energy_j).toBeCloseTo(0.05 + 0.2 + 0.2, 12);
  expect(recording.faults).toEqual([]);
  expect(recording.maps.map(({ source }) => source)).toEqual(["power", "events"]);
  expect(recording.events[0]).toEqual({ type: "request_start", source: "events", epoch: 0, tick: 0.1, request: "r1" });
});

test("current and voltage make power; order of columns and further columns do not matter", () => {
  const recording = decode("note,voltage_v,time_s,current_a\nwarm,4,1,0.5\n,4,2,1.5\n");
  expect(listBlocks(recording)).toMatchObject([{ columns: { "main.current_a": [0.5, 1.5], "main.voltage_v": [4, 4] } }]);
  expect(integrate(recording, 0, 2).energy_j).toBe(2 + 6);
});

test.each([
  ["a byte order mark", "\uFEFFtime_s,power_w\n0.1,1\n0.2,2\n"],
  ["CRLF", "time_s,power_w\r\n0.1,1\r\n0.2,2\r\n"],
  ["no newline at the end", "time_s,power_w\n0.1,1\n0.2,2"],
  ["CRLF and none at the end", "time_s,power_w\r\n0.1,1\r\n0.2,2"],
  ["spaces", " time_s , power_w\n 0.1 ,\t1\n0.2, 2 \n"],
  ["signs and exponents", "time_s,power_w\n+0.1,1e0\n2.0E-1,+2.\n"],
  ["empty lines around", "\n\ntime_s,power_w\n\n0.1,1\n0.2,2\n\n \r\n"],
])("%s: the same samples, no gap", (_, text) => {
  const recording = decode(text);
  expect(listBlocks(recording)).toEqual(listBlocks(decode("time_s,power_w\n0.1,1\n0.2,2\n")));
  expect(recording.faults).toEqual([]);
});

test("numbers are read as JavaScript reads them, to the last bit", () => {
  const texts = [
    "0.1",
    "123456789012.345",
    "0.000123456789012",
    "3.141592653589793",
    "2.2250738585072014e-308",
    "-0.30000000000000004",
    ".5",
    "9007199254740993",
  ];
  // The golden ratio's multiples, with 1 to 20 digits after the point.
  for (let k = 1; k <= 2000; k++) texts.push(((k * 0.6180339887498949) % 1).toFixed(1 + (k % 20)));
  const recording = decode(`power_w,time_s\n${texts.map((text, k) => `${text},${k}`).join("\n")}\n`);
  const [{ columns }] = listBlocks(recording) as [{ columns: Record<string, number[]> }];
  expect(columns["main.power_w"]).toEqual(texts.map(Number));
});

test("neighbouring intervals share their edge exactly, however the decimals round", () => {
  const times = Array.from({ length: 10_000 }, (_, k) => `${(k + 1) / 10}`);
  const blocks = [...decode(rows(times), { "rig.json": '{"rate_hz":10}' }).blocks()];
  expect(blocks.map(({ length }) => length)).toEqual([4096, 4096, 1808]);
  // 409.7 - 0.1 is 409.59999999999997.
  expect(blocks.map(({ startTick, lostBefore }) => [startTick, lostBefore])).toEqual([
    [0, 0],
    [409.6, 0],
    [819.2, 0],
  ]);
});

test("edges computed from a nominal step do not leave a sliver beside the decimals", () => {
  // 0.3 - 0.1 is 0.19999999999999998.
  expect(shape(rows([0.3, 0.4]), { rate_hz: 10 })).toEqual([[0.2, [0.3, 0.4], 0]]);
  expect(shape(rows([0.1, 0.2, "", 0.3]), { rate_hz: 10 })).toEqual([
    [0, [0.1, 0.2], 0],
    [0.2, [0.3], 1],
  ]);
});

test("without a rate the median step is the nominal one", () => {
  expect(shape(rows([0.1, 0.2, 0.3, 0.7, 0.8, 0.9]))).toEqual([
    [0, [0.1, 0.2, 0.3], 0],
    [expect.closeTo(0.6, 12), [0.7, 0.8, 0.9], 3],
  ]);
});

test("up to 1.5 steps nothing is missing, above it the sample covers one step, above 5 it is a gap", () => {
  const rig = { rate_hz: 10 };
  expect(shape(rows([1, 1.14, 1.24]), rig)).toEqual([[0.9, [1, 1.14, 1.24], 0]]);
  expect(shape(rows([1, 1.16, 1.26]), rig)).toEqual([
    [0.9, [1], 0],
    [expect.closeTo(1.06, 12), [1.16, 1.26], 1],
  ]);
  const faults = (times: readonly (number | string)[]) => decode(rows(times), { "rig.json": JSON.stringify(rig) }).faults;
  expect(faults([1, 1.16, 1.26, 1.66])).toEqual([{ source: "power", code: "lost_samples", count: 4, at_s: 1 }]);
  expect(faults([1, 1.5, 2])).toMatchObject([{ code: "lost_samples", count: 8 }]);
  expect(faults([1, 1.6])).toEqual([{ source: "power", code: "gap", count: 1, at_s: 1, detail: "5 samples missing before 1.6 s" }]);
  expect(faults([1, "", 1.3])).toMatchObject([{ code: "gap", count: 1, at_s: 1 }]);
});

test("an empty line is a gap even where the times do not show one", () => {
  const power = rows([1, 2, "", "", 3, 4]);
  expect(shape(power)).toEqual([
    [0, [1, 2], 0],
    [2, [3, 4], 1],
  ]);
  expect(decode(power).faults).toMatchObject([{ code: "gap", count: 1, at_s: 2 }]);
});

test("points stand for instants, and know how far apart is still together", () => {
  const recording = decode(rows([0, 1, 2, 5, 6]), { "rig.json": '{"sampler":"point","rate_hz":1}' });
  expect(listBlocks(recording)).toMatchObject([
    { startTick: 0, ticks: [0, 1, 2], lostBefore: 0 },
    { startTick: 5, ticks: [5, 6], lostBefore: 2 },
  ]);
  expect(recording.measurand.longestStep).toBe(1.5);
  const long = decode(rows(Array.from({ length: 5000 }, (_, k) => k)), { "rig.json": '{"sampler":"point"}' });
  expect([...long.blocks()].map(({ startTick, lostBefore }) => [startTick, lostBefore])).toEqual([
    [0, 0],
    [4096, 0],
  ]);
});

test("what the rig file says arrives; without one nothing is claimed", () => {
  const rig = { sampler: "integrating", rate_hz: 10, idle: [[0, 0.2]], load_unit: "gpu", trips: { die: 70 }, gain_uncertainty: 0.005 };
  const { idle, measurand } = decode(rows([0.1, 0.2]), { "rig.json": JSON.stringify(rig) });
  expect(idle).toEqual([[0, 0.2]]);
  expect(measurand).toMatchObject({ source: "power", channel: "main", accuracy: { gain: 0.005, sampling_s: 0 } });
  expect(decode(rows([0.1, 0.2])).measurand.accuracy.gain).toBe(0);
});

test("telemetry: numbers as numbers, states as text, channels interleaved", () => {
  const telemetry =
    "channel,time_s,value\r\ntemperature_degc:die,1,41.5\r\ncooling_state:fan,0.5,on\r\n\r\ntemperature_degc:die,2,4.2e1\r\n";
  const { readings, maps } = decode(rows([1, 2]), { "telemetry.csv": telemetry });
  expect(readings).toEqual([
    { source: "telemetry", epoch: 0, channel: "temperature_degc:die", tick: 1, value: 41.5 },
    { source: "telemetry", epoch: 0, channel: "cooling_state:fan", tick: 0.5, value: "on" },
    { source: "telemetry", epoch: 0, channel: "temperature_degc:die", tick: 2, value: 42 },
  ]);
  expect(maps.map(({ source }) => source)).toEqual(["power", "events", "telemetry"]);
});

test("a day at 10 Hz decodes in a second or so, and the bytes are not turned into objects", () => {
  const lines = Array.from({ length: 864_000 }, (_, k) => `${(k + 1) / 10},5.1`);
  const input = files({ "power.csv": `time_s,power_w\n${lines.join("\n")}\n`, "rig.json": '{"rate_hz":10}' });
  const before = process.memoryUsage();
  const started = performance.now();
  const recording = generic.decode(input);
  const took_ms = performance.now() - started;
  const after = process.memoryUsage();
  expect(took_ms).toBeLessThan(2000);
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(40e6);
  expect(integrate(recording, 0, 86_400).energy_j / 440_640).toBeCloseTo(1, 9);
});
