import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bridgeIna219 } from "../../src/instruments/bridge-ina219.ts";
import { tickAt } from "../../src/model/block.ts";
import { openProcess } from "../../src/ports/process.ts";
import { phonePlant } from "../../src/simulate/phone.ts";
import { listen } from "../instruments/bridge-ina219-bench.ts";

const PROGRAM = new URL("../../dist/simulate/bridge-main.js", import.meta.url).pathname;

test("the program measures the phone whose start the file names, in real time, without loss", async () => {
  const folder = mkdtempSync(join(tmpdir(), "joulebench-bridge-"));
  const startFile = join(folder, "start.json");
  const zero_ns = process.hrtime.bigint();
  const now = () => Number(process.hrtime.bigint() - zero_ns);
  const argv = [
    process.execPath,
    PROGRAM,
    "--t0-ns",
    String(zero_ns),
    "--seed",
    "7",
    "--start-file",
    startFile,
    "--clock-skew-ppm",
    "-1200",
  ];
  const port = await openProcess({ argv, now });
  try {
    const { context, heard } = listen((bytes) => void port.write(bytes));
    const driver = bridgeIna219.open(bridgeIna219.options.parse({ shunt_ohm: 0.10005 }), context);
    driver.push({ bytes: new Uint8Array(0), host_ns: now() });
    const start_s = 1.5;
    writeFileSync(startFile, JSON.stringify({ start_ns: String(zero_ns + BigInt(start_s * 1e9)) }));
    const points: [number, number][] = [];
    for await (const chunk of port) {
      for (const block of driver.push(chunk))
        for (const [k, amps] of block.columns["main.current_a"]!.entries()) points.push([tickAt(block, k) * 1e-6, amps * 5]);
      if (now() > 4.5e9) break;
    }
    expect(heard.faults).toEqual({});
    expect(points.length).toBeGreaterThan(3500);
    const { plant } = phonePlant({ seed: 7 });
    // The bridge's clock runs 1200 ppm slow and began 0.39 ms after power-on.
    const mean = (from: number, to: number) => {
      const inside = points.filter(([t]) => t > from && t <= to);
      return inside.reduce((sum, [, watts]) => sum + watts, 0) / inside.length;
    };
    for (const [from, to] of [
      [1, 1.4],
      [2, 2.5],
      [3.1, 4],
    ] as const) {
      const truth = plant.energy_j(from * 1.0012 - start_s, to * 1.0012 - start_s) / ((to - from) * 1.0012);
      expect(mean(from, to) / truth).toBeCloseTo(1, 2);
    }
  } finally {
    await port.close();
    rmSync(folder, { recursive: true });
  }
});

test.each([
  [["--clock-skew-ppm", "fast"], "--clock-skew-ppm fast: expected a number"],
  [["--t0-ns", "1.5"], "--t0-ns 1.5: expected nanoseconds"],
  [["--hex", "/nowhere.hex"], "--hex /nowhere.hex: ENOENT"],
])("a wrong argument is refused: %j", async (args, message) => {
  const port = await openProcess({ argv: [process.execPath, PROGRAM, ...args], now: () => 0 });
  const read = async () => {
    for await (const _ of port);
  };
  await expect(read()).rejects.toThrow(message);
  await port.close();
});
