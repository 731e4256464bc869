import type { Fault } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { Measurement } from "../model/measurement.ts";
import type { PowerMean, SinkContext } from "../model/sink.ts";

/** One row of a series, as the `influx` package takes it. */
export interface Point {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, number | string>>;
  /** Nanoseconds since 1970 in decimal digits: the package rounds numbers and breaks on a bigint. */
  readonly timestamp: string;
}

type Values = Readonly<Record<string, number | string | null | undefined>>;

/** Longest tag and longest text of a field, characters. */
const TAG_LENGTH = 256;
const TEXT_LENGTH = 4096;

/** Two points of one series at one instant are one point to InfluxDB; points meant to be two are moved apart by less than this. */
const APART_NS = 1_000n;

/**
 * Puts what a session tells into InfluxDB's terms.
 *
 * Tags are what one groups by and have few values: rig, source, channel, phase, name. Session and request are
 * fields, because a tag with a new value per run is a new series per run for ever. Names of fields end in the unit.
 * Every point is stamped with the start of what it stands for, as InfluxDB's own `GROUP BY time()` does.
 * A point without a finite time, or without any finite value, is `undefined`.
 */
export class Points {
  readonly #context: Pick<SinkContext, "rig" | "session" | "wallStart_ns">;
  /** Last stamp of each series whose points are moved apart. */
  readonly #last = new Map<string, bigint>();

  constructor(context: Pick<SinkContext, "rig" | "session" | "wallStart_ns">) {
    this.#context = context;
  }

  power({ source, start_s, end_s, mean_w, min_w, max_w }: PowerMean): Point | undefined {
    if (!Number.isFinite(mean_w)) return undefined;
    const fields = { power_w: mean_w, power_min_w: min_w, power_max_w: max_w, duration_s: end_s - start_s };
    return this.#point("power", start_s, channelOf(source), fields);
  }

  /** The same result sent again replaces the former one: series and start are the identity of a result. */
  measurement(result: Measurement): Point | undefined {
    const { name, phase, value, uncertainty, coverage, tokens, index, request, start_s, end_s } = result;
    const unit = suffix(result.unit);
    const of = { coverage, tokens, index, request, flags: result.flags.join(","), duration_s: end_s - start_s };
    return this.#point(
      "inference",
      start_s,
      { ...channelOf(result.source), phase, name },
      { [`value${unit}`]: value, [`u${unit}`]: uncertainty, ...of },
    );
  }

  event(event: InferenceEvent, at_s: number): Point | undefined {
    const { type, source, request, tokens, outputTokens, unit, count, model, phase, correct } = event;
    const fields = { request, tokens, output_tokens: outputTokens, unit, count, model, workload_phase: phase, correct };
    return this.#apart(this.#point("event", at_s, { source, type }, fields));
  }

  fault({ source, code, count, at_s, detail }: Fault): Point | undefined {
    return this.#apart(this.#point("fault", at_s, { source, code }, { count, detail }));
  }

  #point(measurement: string, at_s: number, tags: Record<string, string>, values: Values): Point | undefined {
    if (!Number.isFinite(at_s)) return undefined;
    const fields = { session: text(this.#context.session), ...present(values) };
    const timestamp = String(this.#context.wallStart_ns + BigInt(Math.round(at_s * 1e9)));
    return { measurement, tags: clean({ rig: this.#context.rig, ...tags }), fields, timestamp };
  }

  /** The point, a nanosecond after the last of its series where it would take that one's place. */
  #apart(point: Point | undefined): Point | undefined {
    if (!point) return undefined;
    const series = JSON.stringify([point.measurement, point.tags]);
    const exact = BigInt(point.timestamp);
    const last = this.#last.get(series);
    const stamp = last !== undefined && exact <= last && last - exact < APART_NS ? last + 1n : exact;
    this.#last.set(series, stamp);
    return { ...point, timestamp: String(stamp) };
  }
}

/** `meter.main` is channel `main` of source `meter`; a name without a dot is a source. */
function channelOf(name: string): Record<string, string> {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? { source: name } : { source: name.slice(0, dot), channel: name.slice(dot + 1) };
}

/** A unit as the end of a field's name: `J/token` is `_j_per_token`; of a ratio it is nothing. */
function suffix(unit: string): string {
  if (unit === "" || unit === "1") return "";
  return `_${unit
    .toLowerCase()
    .replaceAll("/", "_per_")
    .replaceAll("°", "deg")
    .replace(/[^a-z0-9]+/g, "_")}`;
}

/** The values there are. InfluxDB has no null and refuses NaN and infinities. */
function present(values: Values): Record<string, number | string> {
  const there: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "string") there[name] = text(value);
    else if (typeof value === "number" && Number.isFinite(value)) there[name] = value;
  }
  return there;
}

/** Tags that may be sent: an empty one is an error to InfluxDB and means the same as none. */
function clean(tags: Record<string, string>): Record<string, string> {
  const kept = Object.entries(tags).map(([name, value]) => [name, plain(value).slice(0, TAG_LENGTH).trim()] as const);
  return Object.fromEntries(kept.filter(([, value]) => value !== ""));
}

const text = (value: string): string => plain(value).slice(0, TEXT_LENGTH);

/** A backslash at the end of a tag swallows what follows and a line break starts a point of its own: neither is let through. */
const plain = (value: string): string => value.replace(/[\p{Cc}\\]/gu, "_");
