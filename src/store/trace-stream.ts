import { mkdirSync } from "node:fs";
import type { ColumnKey } from "../model/block.ts";
import { refusable } from "./append-file.ts";
import { EnergyWriter } from "./energy-writer.ts";
import { PartWriter, type TraceFacts } from "./part-writer.ts";
import { PyramidWriter } from "./pyramid-writer.ts";
import type { Batch } from "./trace-batch.ts";
import type { StreamSummary } from "./trace-manifest.ts";
import { energyBase, energyDir, pyramidBase, pyramidDir, streamDir } from "./trace-paths.ts";

/** All that is kept of one source: its samples, the pyramid of every column and of power, and the energy of every channel. */
export class TraceStream {
  readonly #trace: string;
  readonly #source: string;
  readonly #parts: PartWriter;
  readonly #pyramids = new Map<string, PyramidWriter>();
  readonly #energies = new Map<string, EnergyWriter>();
  readonly #columns = new Set<string>();
  #start_s = Number.POSITIVE_INFINITY;
  #end_s = Number.NEGATIVE_INFINITY;

  /** @throws JoulebenchError `sink` */
  constructor(trace: string, source: string, facts: TraceFacts) {
    this.#trace = trace;
    this.#source = source;
    const dirs = [streamDir(trace, source), pyramidDir(trace, source), energyDir(trace, source)];
    for (const dir of dirs) refusable(dir, "make the folder of", () => mkdirSync(dir, { recursive: true }));
    this.#parts = new PartWriter(streamDir(trace, source), facts);
  }

  /** @throws JoulebenchError `sink` */
  add(batch: Batch): void {
    const { times_s, lengths_s, columns, sampler } = batch;
    const isPoint = sampler === "point" || sampler === "cumulative";
    const powers = powersOf(columns);
    const middle_s = isPoint ? times_s : times_s.map((end_s, k) => end_s - lengths_s[k]! / 2);
    for (const [key, values] of [
      ...Object.entries(columns),
      ...powers.map(([channel, power_w]) => [`${channel}.power_w`, power_w] as const),
    ])
      this.#pyramid(key).add(middle_s, values);
    for (const [channel, power_w] of powers) this.#energy(channel).add(times_s, lengths_s, power_w, sampler === "point");
    this.#start_s = Math.min(this.#start_s, times_s[0]! - lengths_s[0]!);
    this.#end_s = Math.max(this.#end_s, times_s.at(-1)!);
    for (const key of Object.keys(columns)) this.#columns.add(key);
    this.#parts.add(batch);
  }

  /** Completes and keeps everything. @throws JoulebenchError `sink` */
  close(): StreamSummary {
    this.#parts.finish();
    for (const each of this.#pyramids.values()) each.close();
    for (const each of this.#energies.values()) each.close();
    return {
      source: this.#source,
      rows: this.#parts.rows,
      parts: this.#parts.parts,
      columns: [...this.#columns],
      channels: [...this.#energies.keys()],
      start_s: this.#start_s,
      end_s: this.#end_s,
    };
  }

  #pyramid(key: string): PyramidWriter {
    const found = this.#pyramids.get(key) ?? new PyramidWriter(pyramidBase(this.#trace, this.#source, key));
    this.#pyramids.set(key, found);
    return found;
  }

  #energy(channel: string): EnergyWriter {
    const found = this.#energies.get(channel) ?? new EnergyWriter(energyBase(this.#trace, this.#source, channel));
    this.#energies.set(channel, found);
    return found;
  }
}

/** Power of every channel that has it, or current and voltage, as the energies have it. */
function powersOf(columns: Batch["columns"]): (readonly [string, Float64Array])[] {
  const channels = new Set(Object.keys(columns).map((key) => key.slice(0, key.lastIndexOf("."))));
  return [...channels].flatMap((channel) => {
    const of = (quantity: string): Float64Array | undefined => columns[`${channel}.${quantity}` as ColumnKey];
    const [given, current_a, voltage_v] = [of("power_w"), of("current_a"), of("voltage_v")];
    const power_w = given ?? (current_a && voltage_v && current_a.map((each, k) => each * voltage_v[k]!));
    return power_w ? [[channel, power_w] as const] : [];
  });
}
