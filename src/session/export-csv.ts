import type { ColumnKey, Sampler } from "../model/block.ts";
import { type TimeMap, toSession } from "../model/clock.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { Recording } from "../model/recording.ts";
import { type Batch, Batcher } from "../store/trace-batch.ts";

/** What of a session is exported: one source, a stretch of session time. */
export interface Selection {
  readonly source: string;
  readonly from_s: number;
  readonly to_s: number;
}

/** Digits kept behind the point: those of the Parquet files. */
const DIGITS = 9;
const FACTOR = 10 ** DIGITS;

/**
 * Samples of one source as CSV, piece by piece: `time_s`, which for a mean is the end of its interval, and the columns.
 *
 * Columns of `channel` have the name of their quantity alone, such as `current_a`, so that `import generic` reads
 * them; those of other channels have the channel before it. What was not measured is an empty cell, and a gap is a step of time.
 */
export function* csvOf(recording: Recording, channel: string, { source, from_s, to_s }: Selection): Generator<string> {
  let keys: readonly ColumnKey[] | undefined;
  for (const batch of batchesOf(recording, source)) {
    if (!keys) {
      keys = Object.keys(batch.columns) as ColumnKey[];
      yield `${["time_s", ...keys.map((key) => heading(key, channel))].join(",")}\n`;
    }
    const columns = keys.map((key) => batch.columns[key]);
    let text = "";
    for (let k = 0; k < batch.times_s.length; k++) {
      const time_s = batch.times_s[k]!;
      if (time_s < from_s || time_s >= to_s) continue;
      text += time_s.toFixed(DIGITS);
      for (const values of columns) text += `,${cell(values?.[k])}`;
      text += "\n";
    }
    if (text !== "") yield text;
    if (batch.times_s[0]! >= to_s) return;
  }
}

const cell = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value) ? "" : String(Math.round(value * FACTOR) / FACTOR);

function heading(key: ColumnKey, channel: string): string {
  const dot = key.lastIndexOf(".");
  const quantity = key.slice(dot + 1);
  return key.slice(0, dot) === channel ? quantity : `${key.slice(0, dot)}_${quantity}`;
}

function* batchesOf({ blocks, maps, measurand }: Recording, source: string): Generator<Batch> {
  const batcher = new Batcher(source, measurand?.source === source ? measurand.longestStep : undefined);
  let map: TimeMap | undefined;
  for (const block of blocks()) {
    if (block.source !== source || block.length === 0) continue;
    if (map?.epoch !== block.epoch) map = maps.find((each) => each.source === source && each.epoch === block.epoch);
    if (map) yield* batcher.add(block, map);
  }
  yield* batcher.rest();
}

/** The events on session time, one per line, as `import generic` reads them. An event whose clock has no map is left out. */
export function* eventLines({ events, maps }: Recording, { from_s, to_s }: Pick<Selection, "from_s" | "to_s">): Generator<string> {
  for (const event of events) {
    const map = maps.find((each) => each.source === event.source && each.epoch === event.epoch);
    if (!map) continue;
    const time_s = toSession(map, event.tick);
    if (time_s >= from_s && time_s < to_s) yield `${JSON.stringify(written(event, time_s))}\n`;
  }
}

function written({ source: _source, epoch: _epoch, tick: _tick, request, ...rest }: InferenceEvent, time_s: number): object {
  const { outputTokens: output_tokens, cachedTokens: cached_tokens, ...same } = rest;
  return { ...same, time_s: Number(time_s.toFixed(DIGITS)), ...(request === "" ? {} : { request }), output_tokens, cached_tokens };
}

/** `rig.json` of the generic import, for one who reads the files of {@link csvOf} back. */
export function rigOf({ idle, measurand }: Recording, sampler: Sampler): object {
  return { sampler: sampler === "point" ? "point" : "integrating", idle, gain_uncertainty: measurand?.accuracy.gain ?? 0 };
}

/** Sampler of a source by its first block; undefined without one. */
export function samplerOf({ blocks }: Recording, source: string): Sampler | undefined {
  for (const block of blocks()) if (block.source === source) return block.sampler;
  return undefined;
}
