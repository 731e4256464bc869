import { ReadlineParser } from "@serialport/parser-readline";
import { bridgeIna219 } from "../src/instruments/bridge-ina219.ts";
import { Options, SHUNT_LSB_V } from "../src/instruments/bridge-ina219-options.ts";
import { crc16 } from "../src/wire/crc16.ts";
import { checkGolden, handshake, samplesFrame } from "./bridge-bytes.ts";
import { check, leastOf } from "./cpu.ts";
import { report } from "./row.ts";

const SAMPLES = 750_000;
const ROUNDS = 5;
const PERIOD_US = 1000;
const SHUNT_OHM = 0.1;
const options = Options.parse({ shunt_ohm: SHUNT_OHM });

/** Register counts that wander as a meter's do: no two neighbours alike, zero bytes among them. */
const shuntOf = (k: number): number => 8000 + ((k * 7919) % 4001) * 4;
const busOf = (k: number): number => ((1250 + (k % 3)) << 3) | 2;

function frames(perFrame: number): Uint8Array[] {
  return Array.from({ length: SAMPLES / perFrame }, (_, frame) => {
    const counter = frame * perFrame;
    const samples = Array.from({ length: perFrame }, (_, k) => [shuntOf(counter + k), busOf(counter + k)] as const);
    return samplesFrame({ counter, t_us: 5000 + counter * PERIOD_US, period_us: PERIOD_US, samples });
  });
}

function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, k) => bytes.subarray(k * length, (k + 1) * length));
}

/** Sum of the currents of all samples in amperes, which every decoder has to find. */
const TRUTH_A = Array.from({ length: SAMPLES }, (_, k) => (shuntOf(k) * SHUNT_LSB_V) / SHUNT_OHM).reduce((sum, each) => sum + each, 0);

function checkAnswer(decoder: string, sum_a: number): void {
  check(Math.abs(sum_a / TRUTH_A - 1) < 1e-9, `${decoder} found ${sum_a} A instead of ${TRUTH_A} A`);
}

/** Bytes to blocks by the driver the daemon uses. */
function byDriver(chunks: readonly Uint8Array[]): void {
  let faults = 0;
  const context = {
    source: "meter",
    epoch: 0,
    write() {},
    identity() {},
    edge() {},
    fault: (_: unknown, count: number) => (faults += count),
  };
  const driver = bridgeIna219.open(options, { ...context, fault: context.fault as never });
  driver.push({ bytes: new Uint8Array(0), host_ns: 0 });
  for (const bytes of handshake(options)) driver.push({ bytes, host_ns: 0 });
  let sum_a = 0;
  let samples = 0;
  for (const bytes of chunks) {
    for (const { columns, length } of driver.push({ bytes, host_ns: samples * PERIOD_US * 1000 })) {
      const current_a = columns["main.current_a"]!;
      for (let k = 0; k < length; k++) sum_a += current_a[k]!;
      samples += length;
    }
  }
  check(samples === SAMPLES && faults === 0, `the driver gave ${samples} samples and ${faults} faults`);
  checkAnswer("the driver", sum_a);
}

/** The same counts as lines of text, the way most bridges send them. */
async function byReadline(chunks: readonly Uint8Array[]): Promise<void> {
  const parser = new ReadlineParser({ delimiter: "\n" });
  let sum_a = 0;
  parser.on("data", (line: string) => {
    const [, shunt, bus] = line.split(",");
    if (Number(bus) & 2) sum_a += (Number(shunt) * SHUNT_LSB_V) / SHUNT_OHM;
  });
  for (const chunk of chunks) parser.write(chunk);
  await new Promise<void>((resolve) => parser.on("end", resolve).end());
  checkAnswer("parser-readline", sum_a);
}

checkGolden();
const lines = Array.from({ length: SAMPLES }, (_, k) => `${5000 + k * PERIOD_US},${shuntOf(k)},${busOf(k)}\n`).join("");
const small = frames(15);
const smallBytes = Buffer.concat(small);
const large = Buffer.concat(frames(50));
const text = cut(Buffer.from(lines), 4096);
const time_s = await leastOf(ROUNDS, {
  small: () => byDriver(small),
  smallCrc: () => crc16(smallBytes),
  large: () => byDriver(cut(large, 4096)),
  largeCrc: () => crc16(large),
  readline: () => byReadline(text),
});
const rate = (name: keyof typeof time_s): number => SAMPLES / time_s[name] / 1e6;
const unit = "M samples/CPU s";
const target = { atLeast: 1 };
const crc = "CRC-16 alone, same bytes";
report({
  what: "decode bridge, 15 samples a frame, a frame a read",
  ours: rate("small"),
  unit,
  against: crc,
  theirs: rate("smallCrc"),
  target,
});
report({
  what: "decode bridge, 50 samples a frame, 4 KiB a read",
  ours: rate("large"),
  unit,
  against: crc,
  theirs: rate("largeCrc"),
  target,
});
report({
  what: "decode bridge, 50 samples a frame, 4 KiB a read",
  ours: rate("large"),
  unit,
  against: "text by parser-readline",
  theirs: rate("readline"),
});
