import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadHex } from "../../src/simulate/avr-hex.ts";
import { AvrBridge, type AvrBridgeOptions } from "../../src/simulate/avr-host.ts";
import { BridgePort } from "../../src/simulate/bridge-port.ts";

const hex = readFileSync(new URL("../../firmware-bridge/bridge-ina219-uno.hex", import.meta.url), "utf8");
const plant = { supply_v: 5, power_w: () => 1, energy_j: (from: number, to: number) => to - from };

/** The firmware's console; frames are taken out, what is left is text. */
function console_(options: Partial<AvrBridgeOptions> = {}) {
  let sent = "";
  const bridge = new AvrBridge({
    hex,
    plant: () => plant,
    sensor: { shunt_ohm: 0.1 },
    ...options,
    onBytes: (bytes) => {
      sent += Buffer.from(bytes).toString("latin1");
    },
  });
  const say = (command: string): string => {
    sent = "";
    bridge.receive(Buffer.from(command));
    bridge.runUntil(bridge.now_s + 0.02);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: frames stand between zeros
    return sent.replace(/\x00[^\x00]+\x00/g, "<frame>");
  };
  return { bridge, say };
}

const ID =
  "joulebench-bridge 1.0.0 protocol=1 mcu=atmega328p sensor=ina219 rate_hz=1000 period_us=1000 samples_per_frame=15 reg=0x3917 addr=0x0040\n";

test("boots with its frame and its banner, and again after a reset", () => {
  const { bridge, say } = console_();
  expect(say("")).toBe(`<frame>${ID}`);
  say("config rate_hz=500\n");
  bridge.reset();
  expect(say("")).toBe(`<frame>${ID}`);
});

test("answers every command", () => {
  const { say } = console_();
  say("");
  expect(say("id\r\n")).toBe(ID);
  expect(say("ping\n")).toMatch(/^pong \d{5}\n$/);
  expect(say("stop\n")).toBe("<frame>ok stop\n");
  expect(say("config rate_hz=300 reg=0x019f addr=0x41\n")).toBe(
    "ok config rate_hz=300 period_us=3333 samples_per_frame=4 reg=0x019f addr=0x0041\n",
  );
  expect(say("config\n")).toBe("ok config rate_hz=300 period_us=3333 samples_per_frame=4 reg=0x019f addr=0x0041\n");
  expect(say("start\n").startsWith("ok start\n")).toBe(true);
  expect(say("config rate_hz=100\n")).toContain("error streaming: stop expected first\n");
  expect(say("start\n")).toContain("error streaming: stop expected first\n");
  expect(say("ping\n")).toContain("pong ");
  expect(say("\nstop\n").endsWith("<frame>ok stop\n")).toBe(true);
  expect(say("stop\n")).toBe("<frame>ok stop\n");
});

test.each([
  ["AT\n", "error command: id, config, start, stop or ping expected\n"],
  ["config rate_hz=49\n", "error config: rate_hz=50..1500 reg=0x0000..0x7fff addr=0x40..0x4f expected\n"],
  ["config rate_hz=1501\n", "error config: rate_hz=50..1500 reg=0x0000..0x7fff addr=0x40..0x4f expected\n"],
  ["config reg=0x8000\n", "error config: rate_hz=50..1500 reg=0x0000..0x7fff addr=0x40..0x4f expected\n"],
  ["config rate_hz=1k\n", "error config: rate_hz=50..1500 reg=0x0000..0x7fff addr=0x40..0x4f expected\n"],
  ["config speed=3\n", "error config: rate_hz=50..1500 reg=0x0000..0x7fff addr=0x40..0x4f expected\n"],
  [`${"x".repeat(100)}\n`, "error line: at most 79 characters expected\n"],
  ["\n\n", ""],
])("%j is answered, and changes nothing", (command, reply) => {
  const { say } = console_();
  say("");
  expect(say(command)).toBe(reply);
  expect(say("id\n")).toBe(ID);
});

test("the clock of a board that is 1 % fast shows it", () => {
  const clock_us = (clockSkew_ppm: number) => {
    const { bridge, say } = console_({ clockSkew_ppm });
    bridge.runUntil(1);
    return Number(say("ping\n").split(" ")[1]);
  };
  expect(clock_us(10_000) / clock_us(0)).toBeCloseTo(1.01, 4);
});

test("a damaged hex file is refused, with the line", () => {
  const lines = hex.split(/\r?\n/);
  const damaged = [...lines.slice(0, 4), lines[4]!.replace(/..$/, "00"), ...lines.slice(5)].join("\n");
  expect(() => loadHex(damaged)).toThrow(/hex line 5 is damaged/);
  expect(() => loadHex(lines.slice(0, 20).join("\n"))).toThrow(/cut short/);
  expect(() => loadHex(":0400000501020304ED\n")).toThrow(/line 1 does not fit/);
});

test("as a port it hands over bytes no earlier than they were due", async () => {
  let now_ns = 0;
  const port = new BridgePort({ hex, plant: () => plant, sensor: { shunt_ohm: 0.1 } }, () => now_ns);
  const chunks = port[Symbol.asyncIterator]();
  now_ns = 20e6;
  const first = await chunks.next();
  expect(Buffer.from(first.value!.bytes).toString("latin1")).toContain("joulebench-bridge");
  expect(first.value!.host_ns).toBe(20e6);
  expect(port.bridge.now_s).toBeCloseTo(0.02, 5);
  await port.write(Buffer.from("ping\n"));
  now_ns = 21e6;
  expect(Buffer.from((await chunks.next()).value!.bytes).toString("latin1")).toMatch(/^pong (19|20)\d{3}\n$/);
  await port.close();
  expect(await chunks.next()).toEqual({ done: true, value: undefined });
});
