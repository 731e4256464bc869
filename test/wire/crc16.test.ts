import { expect, test } from "vitest";
import { crc16 } from "../../src/wire/crc16.ts";

test("gives the check value of CRC-16/CCITT-FALSE", () => {
  expect(crc16(Buffer.from("123456789"))).toBe(0x29b1);
  expect(crc16(new Uint8Array(0))).toBe(0xffff);
  expect(crc16(Buffer.from("x123456789x"), 1, 10)).toBe(0x29b1);
});
