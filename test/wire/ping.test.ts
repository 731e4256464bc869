import { expect, test } from "vitest";
import { parsePing, parsePong, pingLine, pongLine } from "../../src/wire/ping.ts";

test("a ping is one short line", () => {
  expect(pingLine(7)).toBe("ping 7");
  expect(parsePing("ping 7")).toBe(7);
  expect(["ping", "ping -1", "ping 7 8", "ping 1e3", "pong 7", " ping 7", "ping 9999999999999999"].map(parsePing)).toEqual(
    Array(7).fill(undefined),
  );
});

test("a pong is read to the last digit", () => {
  const pong = { id: 7, deviceReceived_s: 12.34567890123456, deviceSent_s: 12.34567890124456 };
  expect(parsePong(pongLine(pong))).toEqual(pong);
  expect(parsePong('{"type":"pong","id":7,"received_s":12.3,"sent_s":12.3}\r')).toEqual({
    id: 7,
    deviceReceived_s: 12.3,
    deviceSent_s: 12.3,
  });
});

test.each([
  "",
  "pong",
  '"pong"',
  '["pong"]',
  '{"type":"pong","id":7,"received_s":12.3,"sent',
  '{"type":"pong","id":7,"received_s":12.3}',
  '{"type":"pong","id":"7","received_s":12.3,"sent_s":12.3}',
  '{"type":"pong","id":7.5,"received_s":12.3,"sent_s":12.3}',
  '{"type":"pong","id":-7,"received_s":12.3,"sent_s":12.3}',
  '{"type":"pong","id":7,"received_s":null,"sent_s":12.3}',
  '{"type":"pong","id":7,"received_s":1e999,"sent_s":1e999}',
  '{"type":"pong","id":7,"received_s":12.3,"sent_s":12.2}',
  '{"type":"token","request":"\\"pong\\"","time_s":1}',
  `{"type":"pong","id":7,"received_s":12.3,"sent_s":12.3,"note":"${"x".repeat(300)}"}`,
])("%s is no pong", (line) => {
  expect(parsePong(line)).toBeUndefined();
});
