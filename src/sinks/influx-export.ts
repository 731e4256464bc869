import { escape as escaped } from "influx";
import type { Measurement } from "../model/measurement.ts";
import type { PowerMean, SinkContext } from "../model/sink.ts";
import { type Point, Points } from "./influx-points.ts";

/** Mean powers and final results of a session in InfluxDB's line protocol, as the sink writes them; each line with its end. */
export function* exportLines(
  context: Pick<SinkContext, "rig" | "session" | "wallStart_ns">,
  means: Iterable<PowerMean>,
  results: readonly Measurement[],
): Generator<string> {
  const points = new Points(context);
  for (const mean of means) yield* line(points.power(mean));
  for (const each of results) yield* line(points.measurement(each));
}

function* line(point: Point | undefined): Generator<string> {
  if (!point) return;
  const tags = Object.entries(point.tags).map(([name, value]) => `,${escaped.tag(name)}=${escaped.tag(value)}`);
  const fields = Object.entries(point.fields).map(([name, value]) => `${escaped.tag(name)}=${fieldOf(value)}`);
  yield `${escaped.measurement(point.measurement)}${tags.join("")} ${fields.join(",")} ${point.timestamp}\n`;
}

const fieldOf = (value: number | string): string => (typeof value === "number" ? String(value) : `"${value.replaceAll('"', '\\"')}"`);
