import { readFileSync } from "node:fs";
import { configRegister, type Options } from "../src/instruments/bridge-ina219-options.ts";
import { crc16 } from "../src/wire/crc16.ts";
import { check } from "./cpu.ts";

/** Samples as the bridge counts them: register counts, and the counter and clock of the first. */
export interface Counts {
  readonly counter: number;
  readonly t_us: number;
  readonly period_us: number;
  readonly samples: readonly (readonly [shunt: number, bus: number])[];
}

const HEADER = 11;

/** A SAMPLES frame as firmware-bridge/PROTOCOL.md lays it out. */
export function samplesFrame({ counter, t_us, period_us, samples }: Counts): Uint8Array {
  const payload = Buffer.alloc(HEADER + 4 * samples.length + 2);
  payload.writeUInt8(1, 0);
  payload.writeUInt32LE(counter >>> 0, 1);
  payload.writeUInt32LE(t_us >>> 0, 5);
  payload.writeUInt16LE(period_us, 9);
  samples.forEach(([shunt, bus], k) => {
    payload.writeInt16LE(shunt, HEADER + 4 * k);
    payload.writeUInt16LE(bus, HEADER + 4 * k + 2);
  });
  payload.writeUInt16LE(crc16(payload, 0, payload.length - 2), payload.length - 2);
  return stuffed(payload);
}

/** The answer to `stop`: totals of a session in which nothing went wrong, then the line. */
export function end(t_us: number, ticks: number, options: Options): Uint8Array {
  const payload = Buffer.alloc(27);
  payload.writeUInt8(4, 0);
  payload.writeUInt32LE(t_us >>> 0, 1);
  payload.writeUInt32LE(ticks >>> 0, 5);
  payload.writeUInt16LE(configRegister(options), 23);
  payload.writeUInt16LE(crc16(payload, 0, 25), 25);
  return Buffer.concat([stuffed(payload), Buffer.from("ok stop\n")]);
}

/** COBS between two zeros; no payload is long enough for a group of 254. */
function stuffed(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(payload.length + 3);
  let codeAt = 1;
  let length = 2;
  for (const byte of payload) {
    if (byte === 0) {
      out[codeAt] = length - codeAt;
      codeAt = length++;
    } else out[length++] = byte;
  }
  out[codeAt] = length - codeAt;
  return out;
}

/** What the bridge answers until it streams. */
export function handshake(options: Options): readonly Uint8Array[] {
  const { rate_hz } = options;
  const inForce = `rate_hz=${rate_hz} period_us=${Math.round(1e6 / rate_hz)} samples_per_frame=15 reg=0x${configRegister(options).toString(16)} addr=0x0040`;
  const lines = [
    "ok stop",
    `joulebench-bridge 1.0.0 protocol=1 mcu=atmega328p sensor=ina219 ${inForce}`,
    `ok config ${inForce}`,
    "ok start",
  ];
  return lines.map((line) => Buffer.from(`${line}\n`));
}

/** Makes sure that the encoder here gives, byte for byte, what the firmware's own gave. */
export function checkGolden(): void {
  const golden = JSON.parse(readFileSync("firmware-bridge/golden/frames.json", "utf8")) as (Counts & { type: string; hex: string })[];
  const frames = golden.filter((each) => each.type === "samples");
  check(frames.length > 3, "golden sample frames are missing");
  for (const each of frames)
    check(Buffer.from(samplesFrame(each)).toString("hex") === each.hex, `the encoder disagrees with the firmware's: ${each.hex}`);
}
