import { readFileSync } from "node:fs";
import { test } from "vitest";
import { AvrBridge } from "/work/main/src/simulate/avr-host.ts";
import { CobsReader } from "/work/main/src/wire/cobs.ts";

test("x", () => {
  const rates = (process.env.RATES ?? "1000").split(",");
  for (const rate of rates) {
    let text = "";
    const frames: Record<string, number> = {};
    let bad = 0;
    let last: any;
    let n = 0;
    const reader = new CobsReader(300, {
      frame: (p) => {
        frames[p[0]!] = (frames[p[0]!] ?? 0) + 1;
        if (p[0] === 1) n += (p.length - 11) / 4;
        if (p[0] === 3 || p[0] === 4) {
          const v = new DataView(p.buffer, p.byteOffset);
          last = [
            v.getUint32(1, true),
            v.getUint32(5, true),
            v.getUint32(9, true),
            v.getUint32(13, true),
            v.getUint32(17, true),
            v.getUint16(23, true).toString(16),
          ];
        }
      },
      text: (b) => {
        text += Buffer.from(b).toString("latin1");
      },
      bad: () => {
        bad++;
      },
    });
    const bridge = new AvrBridge({
      hex: readFileSync("/work/main/firmware-bridge/bridge-ina219-uno.hex", "utf8"),
      plant: () => ({ supply_v: 5, power_w: () => 5, energy_j: (a, b) => 5 * (b - a) }),
      sensor: { shunt_ohm: 0.1 },
      onBytes: (b) => reader.push(b),
    });
    const say = (s: string) => bridge.receive(Buffer.from(s));
    bridge.runUntil(0.05);
    say("\nstop\nid\nping\nnonsense\nconfig rate_hz=9999\n");
    bridge.runUntil(0.1);
    say("config rate_hz=" + rate + " reg=0x3807 addr=0x40\n");
    bridge.runUntil(0.15);
    say("start\n");
    const t = performance.now();
    const c = process.cpuUsage();
    bridge.runUntil(3.17);
    const cpu = process.cpuUsage(c);
    say("stop\n");
    bridge.runUntil(3.3);
    console.log(text, frames, bad, last, n, "wall", performance.now() - t, "cpu ms/s", (cpu.user + cpu.system) / 3000);
  }
});
