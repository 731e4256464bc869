import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PULSE_W, pulsePlant } from "../../src/simulate/phone-pulses.ts";
import { readStartFile, writeStartFile } from "../../src/simulate/start-file.ts";
import { transports } from "../../src/transports/index.ts";
import { PULSE_CODE, PULSES_LINE, type Pulse, parseSync } from "../../src/wire/pulses.ts";

const now_ns = (): bigint => process.hrtime.bigint();
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "joulebench-pulses-"));
  path = join(folder, "start.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("the phone tells of its train ahead of time, and of each pulse on its own clock", async () => {
  const transport = await transports.find((each) => each.kind === "local")!.open({}, () => Number(now_ns()));
  const zero_ns = now_ns();
  const flags = ["--offset-s=3.217", "--ppm=37", `--zero-ns=${zero_ns}`, `--start-file=${path}`];
  const channel = await transport.open([process.execPath, "dist/simulate/phone-main.js", ...flags]);
  await channel.write(PULSES_LINE);
  await expect.poll(() => readStartFile(path)?.pulses_ns.length, { interval: 2 }).toBe(1);
  const { start_ns, pulses_ns } = readStartFile(path)!;
  expect(start_ns).toBeUndefined();
  expect(Number(pulses_ns[0]! - now_ns()) / 1e9).toBeGreaterThan(0.4);
  const pulses: Pulse[] = [];
  for await (const { text } of channel.lines) {
    const line = parseSync(text);
    if (line?.type === "pulses_done") break;
    if (line?.type === "pulse") pulses.push(line.pulse);
  }
  const begin_s = Number(pulses_ns[0]! - zero_ns) / 1e9;
  const reading_s = (code_s: number): number => 3.217 + (begin_s + code_s) * (1 + 37e-6);
  expect(pulses).toHaveLength(PULSE_CODE.length);
  for (const [k, { on_s, off_s }] of pulses.entries()) {
    expect(on_s).toBeCloseTo(reading_s(PULSE_CODE[k]!.on_s), 8);
    expect(off_s).toBeCloseTo(reading_s(PULSE_CODE[k]!.off_s), 8);
  }
  await channel.write(PULSES_LINE);
  await expect.poll(() => readStartFile(path)?.pulses_ns.length, { interval: 2 }).toBe(2);
  await transport.close();
});

test("the energy of a train is that of its pulses, whatever the rise takes", () => {
  const busy_s = PULSE_CODE.reduce((sum, { on_s, off_s }) => sum + off_s - on_s, 0);
  const plant = pulsePlant();
  expect(plant.energy_j(-1e4, 1e3)).toBeCloseTo(PULSE_W * busy_s, 9);
  expect(plant.energy_j(-1e4, 0)).toBe(0);
  expect(plant.power_w(0.19)).toBeCloseTo(PULSE_W, 6);
});

test("a start file: what was written, nothing while there is none or a part, a message where it is wrong", () => {
  expect(readStartFile(path)).toBeUndefined();
  writeStartFile(path, { start_ns: 12345678901234567890n, pulses_ns: [1n, 2n] });
  expect(readStartFile(path)).toEqual({ start_ns: 12345678901234567890n, pulses_ns: [1n, 2n] });
  writeStartFile(path, { start_ns: undefined, pulses_ns: [] });
  expect(readStartFile(path)).toEqual({ start_ns: undefined, pulses_ns: [] });
  writeFileSync(path, '{"start_ns":"12"');
  expect(readStartFile(path)).toBeUndefined();
  writeFileSync(path, '{"start_ns":"soon"}');
  expect(() => readStartFile(path)).toThrow("soon: expected nanoseconds");
});
