import type { InstrumentContext } from "../../src/model/instrument.ts";

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
