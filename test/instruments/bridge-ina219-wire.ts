import { crc16 } from "../../src/wire/crc16.ts";

/** A frame as PROTOCOL.md says, encoded here and not by the code under test. */
export function frame(payload: readonly number[]): Uint8Array {
  const crc = crc16(Uint8Array.from(payload));
  const out: number[] = [0];
  let group: number[] = [];
  for (const byte of [...payload, crc & 0xff, crc >> 8, 0]) {
    if (byte !== 0) group.push(byte);
    else {
      out.push(group.length + 1, ...group);
      group = [];
    }
  }
  return Uint8Array.from([...out, 0]);
}

const u16 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];
const u32 = (value: number): number[] => [...u16(value), ...u16(value >>> 16)];

export interface Taken {
  readonly counter: number;
  readonly t_us?: number;
  readonly n?: number;
  readonly shunt?: number;
  readonly bus?: number;
}

/** `n` equal samples, 1 ms apart; 1 A over 0.1 ohm at 5 V unless told. */
export function samples({ counter, t_us = 5000 + 1000 * counter, n = 10, shunt = 10_000, bus = (1250 << 3) | 2 }: Taken): Uint8Array {
  const body = Array.from({ length: n }, () => [...u16(shunt), ...u16(bus)]).flat();
  return frame([1, ...u32(counter), ...u32(t_us), ...u16(1000), ...body]);
}

export const trigger = (t_us: number, level: 0 | 1): Uint8Array => frame([2, ...u32(t_us), 0, level]);

export interface Counted {
  readonly ticks: number;
  readonly i2c?: number;
  readonly overruns?: number;
  readonly missed?: number;
  readonly config?: number;
}

const totals = (type: number, { ticks, i2c = 0, overruns = 0, missed = 0, config = 0x1917 }: Counted): Uint8Array =>
  frame([type, ...u32(0), ...u32(ticks), ...u32(i2c), ...u32(overruns), ...u32(missed), 0, 0, ...u16(config)]);
export const status = (counted: Counted): Uint8Array => totals(3, counted);
export const end = (counted: Counted): Uint8Array => totals(4, counted);

export const boot = (protocol = 1): Uint8Array => frame([5, protocol, 2, 1, 0, 0]);
export const text = (line: string): Uint8Array => Buffer.from(line, "latin1");

export const ID =
  "joulebench-bridge 1.0.0 protocol=1 mcu=atmega328p sensor=ina219 rate_hz=1000 period_us=1000 samples_per_frame=15 reg=0x3917 addr=0x0040\n";

/** What a bridge answers to one command of the handshake. */
export function answer(command: string): string {
  if (command.startsWith("config")) return "ok config rate_hz=1000 period_us=1000 samples_per_frame=15 reg=0x1917 addr=0x0040\n";
  return command === "id" ? ID : `ok ${command}\n`;
}
