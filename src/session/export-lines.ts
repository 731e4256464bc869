import type { Measurand } from "../model/recording.ts";
import type { Results } from "../model/results.ts";
import type { PowerMean } from "../model/sink.ts";
import { exportLines } from "../sinks/influx-export.ts";
import { BASE_S, binAt } from "../store/pyramid-level.ts";
import { PyramidReader } from "../store/pyramid-reader.ts";
import type { SessionFile } from "../store/session-file.ts";
import { pyramidBase } from "../store/trace-paths.ts";
import { toldOf, workOf } from "./sinks.ts";
import { traceDir } from "./trace.ts";

/** Bins read at once. */
const PIECE = 10_000;

/** Results and 10 Hz mean powers of a session within a stretch of its time as line protocol; its trace has been made. */
export function linesOf(
  dir: string,
  { session, rig, results }: { readonly session: SessionFile; readonly rig: string; readonly results: Results },
  measurand: Measurand | undefined,
  { from_s, to_s }: { readonly from_s: number; readonly to_s: number },
): Iterable<string> {
  const wanted = { ...results, measurements: results.measurements.filter(({ start_s }) => start_s >= from_s && start_s < to_s) };
  const means = measurand ? meansOf(traceDir(dir), measurand, from_s, to_s) : [];
  const origin = { rig, ...toldOf(dir, session), work: workOf(session.plan), tags: {} };
  return exportLines(origin, means, wanted);
}

/** A value without the digits that a float32 does not hold. */
const held = (value: number): number => Number(value.toPrecision(7));

/** The lowest level of the pyramid has the width of the means that are sent while measuring; a gap has no mean. */
function* meansOf(trace: string, { source, channel }: Measurand, from_s: number, to_s: number): Generator<PowerMean> {
  const pyramid = new PyramidReader(pyramidBase(trace, source, `${channel}.power_w`));
  try {
    const [first_s, end_s] = pyramid.span_s ?? [0, 0];
    const last = Math.round(Math.min(end_s, to_s) / BASE_S);
    for (let from = Math.ceil(Math.max(first_s, from_s) / BASE_S - 1e-6); from < last; from += PIECE) {
      const bins = pyramid.read(0, from, Math.min(last, from + PIECE));
      for (let k = 0; from + k < Math.min(last, from + PIECE); k++) {
        const { min, mean, max, n } = binAt(bins, k);
        const start_s = (from + k) * BASE_S;
        const end_s = start_s + BASE_S;
        if (n > 0) yield { source: `${source}.${channel}`, start_s, end_s, mean_w: held(mean), min_w: held(min), max_w: held(max) };
      }
    }
  } finally {
    pyramid.close();
  }
}
