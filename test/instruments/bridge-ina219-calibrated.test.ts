import { expect, test } from "vitest";
import { BlockBuilder } from "../../src/instruments/bridge-ina219-blocks.ts";
import { BUS_LSB_V, Options, SHUNT_LSB_V } from "../../src/instruments/bridge-ina219-options.ts";

test("registers become amperes and volts by shunt, offset and voltage gain", () => {
  const options = Options.parse({ shunt_ohm: 0.103, current_offset_a: 0.0015, voltage_gain: 1.004 });
  const context = { source: "meter", epoch: 0, write: () => {}, fault: () => {}, identity: () => {}, edge: () => {} };
  const shunt = Int16Array.from([0, 1000, -200]);
  const bus = Uint16Array.from([1250, 1250, 1000], (counts) => (counts << 3) | 2);
  const { columns } = new BlockBuilder(options, context).block({ type: "samples", counter: 0, t_us: 0, period_us: 1000, shunt, bus });
  for (const [k, counts] of shunt.entries()) {
    expect(columns["main.current_a"]![k]).toBeCloseTo((counts * SHUNT_LSB_V) / 0.103 - 0.0015, 12);
    expect(columns["main.voltage_v"]![k]).toBeCloseTo((bus[k]! >> 3) * BUS_LSB_V * 1.004, 12);
  }
});
