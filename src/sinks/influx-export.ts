import type { Results } from "../model/results.ts";
import type { PowerMean } from "../model/sink.ts";
import type { Origin } from "./influx-lines.ts";
import { Points } from "./influx-points.ts";

/** Mean powers and final results of a session in InfluxDB's line protocol, as the sink writes them; each line with its end. */
export function* exportLines(origin: Origin, means: Iterable<PowerMean>, results: Results): Generator<string> {
  const points = new Points(origin);
  for (const mean of means) yield* ended([points.power(mean)]);
  yield* ended(points.results(results));
}

function* ended(lines: readonly (string | undefined)[]): Generator<string> {
  for (const line of lines) if (line !== undefined) yield `${line}\n`;
}
