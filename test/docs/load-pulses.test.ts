import { afterEach, expect, test } from "vitest";
import type { Channel, Transport } from "../../src/model/transport.ts";
import { transports } from "../../src/transports/index.ts";
import { PULSE_CODE, PULSES_LINE, type Pulse, parseSync } from "../../src/wire/pulses.ts";

let transport: Transport;
afterEach(() => transport.close());

test("the example loads the device in the documented pattern and says so", async () => {
  transport = await transports.find((each) => each.kind === "local")!.open({}, () => Number(process.hrtime.bigint()));
  const channel: Channel = await transport.open([process.execPath, "docs/examples/load-pulses.mjs"]);
  await channel.write(PULSES_LINE);
  const pulses: Pulse[] = [];
  for await (const { text, host_ns } of channel.lines) {
    const line = parseSync(text);
    if (line?.type === "pulses_done") break;
    if (line?.type !== "pulse") throw new Error(`${text}: no pulse`);
    expect(line.pulse.off_s).toBeLessThanOrEqual(host_ns / 1e9);
    pulses.push(line.pulse);
  }
  expect(pulses).toHaveLength(PULSE_CODE.length);
  // Timers are late on a busy machine, never early: the stated times are what counts.
  for (const [k, { on_s, off_s }] of pulses.entries()) {
    const { on_s: from_s, off_s: to_s } = PULSE_CODE[k]!;
    expect(off_s - on_s).toBeGreaterThan(to_s - from_s - 2e-3);
    if (k > 0) expect(on_s - pulses[k - 1]!.off_s).toBeGreaterThan(from_s - PULSE_CODE[k - 1]!.off_s - 2e-3);
  }
  await channel.close();
  expect(await channel.exit).toBe(0);
});
