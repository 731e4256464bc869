import type { SinkContext } from "../model/sink.ts";
import { SCHEMA, type TableName } from "./influx-schema.ts";
import { type Fields, fieldsOf, seriesOf, tagText } from "./line-protocol.ts";

/** Two points of one series at one instant are one point to InfluxDB; points meant to be two are moved apart by less than this. */
const APART_NS = 100_000n;

/** What every point of a session says. */
export interface Origin extends Pick<SinkContext, "rig" | "host" | "session" | "wallStart_ns" | "work"> {
  /** The rig's own tags. */
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Writes the points of one session as lines: all tags of their measurement, and no two at one instant of one series.
 *
 * The same points in the same order give the same lines, so that what is sent twice replaces itself.
 */
export class Lines {
  readonly #origin: Origin;
  readonly #session: string;
  readonly #series = new Map<string, { readonly head: string; last: bigint | undefined }>();

  constructor(origin: Origin) {
    this.#origin = origin;
    this.#session = fieldsOf({ session: origin.session });
  }

  /** @returns undefined without a finite time or without any finite value */
  line(table: TableName, at_s: number, tags: Readonly<Record<string, string>>, fields: Fields): string | undefined {
    const text = fieldsOf(fields);
    // The session's name alone says nothing.
    if (text === "" || !Number.isFinite(at_s)) return undefined;
    const series = this.#seriesOf(table, tags);
    const exact = this.#origin.wallStart_ns + BigInt(Math.round(at_s * 1e9));
    const { last } = series;
    const stamp = last !== undefined && exact <= last && last - exact < APART_NS ? last + 1n : exact;
    series.last = stamp;
    return `${series.head},${text} ${stamp}`;
  }

  #seriesOf(table: TableName, tags: Readonly<Record<string, string>>): { readonly head: string; last: bigint | undefined } {
    let id: string = table;
    for (const name in tags) id += `\n${tags[name]}`;
    let series = this.#series.get(id);
    if (!series) {
      series = { head: `${seriesOf(table, this.#complete(table, tags))} ${this.#session}`, last: undefined };
      this.#series.set(id, series);
    }
    return series;
  }

  #complete(table: TableName, tags: Readonly<Record<string, string>>): Record<string, string> {
    const { rig, host, work, tags: own } = this.#origin;
    const given: Readonly<Record<string, string>> = { ...work, ...tags, rig, host };
    const fixed = SCHEMA[table].tags.map((name): [string, string] => [name, tagText(given[name] ?? "") || "none"]);
    return { ...own, ...Object.fromEntries(fixed) };
  }
}

/** `meter.main` is channel `main` of source `meter`; a name without a dot is a source. */
export function channelOf(name: string): { readonly source: string; readonly channel: string } {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? { source: name, channel: "" } : { source: name.slice(0, dot), channel: name.slice(dot + 1) };
}
