import { bridgeIna219 } from "../../src/instruments/bridge-ina219.ts";
import type { Block } from "../../src/model/block.ts";
import type { InstrumentContext } from "../../src/model/instrument.ts";
import { answer, text } from "./bridge-ina219-wire.ts";

/** What a driver said besides its blocks. */
export interface Heard {
  readonly faults: Record<string, number>;
  readonly edges: { input: string; level: 0 | 1; tick: number }[];
  written: string;
  identity: Readonly<Record<string, string | number>>;
}

/** A context that writes down what the driver does; `answer` gets every command. */
export function listen(answer: (bytes: Uint8Array) => void = () => {}, epoch = 0): { context: InstrumentContext; heard: Heard } {
  const heard: Heard = { faults: {}, edges: [], written: "", identity: {} };
  const context: InstrumentContext = {
    source: "meter",
    epoch,
    write: (bytes) => {
      heard.written += Buffer.from(bytes).toString("latin1");
      answer(bytes);
    },
    fault: (code, count) => {
      heard.faults[code] = (heard.faults[code] ?? 0) + count;
    },
    identity: (facts) => {
      heard.identity = facts;
    },
    edge: (input, level, tick) => heard.edges.push({ input, level, tick }),
  };
  return { context, heard };
}

const options = bridgeIna219.options.parse({ shunt_ohm: 0.1 });

/** A driver, and a hand that feeds it; `now_s` is the host's clock. */
export function openDriver(epoch = 0) {
  const { context, heard } = listen(() => {}, epoch);
  const driver = bridgeIna219.open(options, context);
  const blocks: Block[] = [];
  const feed = (bytes: Uint8Array, now_s = 0) => blocks.push(...driver.push({ bytes, host_ns: now_s * 1e9 }));
  const tick = (now_s: number) => feed(new Uint8Array(0), now_s);
  return { driver, heard, blocks, feed, tick };
}

/** The same, with the handshake done. */
export function streamingDriver(epoch = 0) {
  const bench = openDriver(epoch);
  bench.tick(0);
  for (const command of ["stop", "id", "config", "start"]) bench.feed(text(answer(command)));
  if (!bench.driver.ready) throw new Error("the handshake did not lead to streaming");
  return bench;
}
