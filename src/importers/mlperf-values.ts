import type { Reference } from "../model/recording.ts";
import type { PowerLog } from "./mlperf-texts.ts";

/** The power window by the two hosts' stamps as they are, which is how MLPerf compares them; milliseconds since 1970. */
export interface PowerWindow {
  readonly begin_ms: number;
  readonly end_ms: number;
}

/**
 * The values MLPerf Power takes from the same files, by its method: the mean of the samples strictly inside the
 * window, unweighted, with no regard to the difference of the two clocks (mlcommons/inference, submission checker).
 *
 * The trapezoid through the samples, with interpolated edges, is what the usual post-processing scripts report.
 */
export function mlperfValues(log: PowerLog, window: PowerWindow, queries: number | undefined, request: string): readonly Reference[] {
  const { begin_ms, end_ms } = window;
  const inside = log.power_w.filter((_, k) => log.times_ms[k]! > begin_ms && log.times_ms[k]! < end_ms);
  const mean_w = inside.reduce((sum, watts) => sum + watts, 0) / inside.length;
  const energy_j = (mean_w * (end_ms - begin_ms)) / 1000;
  const shared = { method: "MLPerf Power", request };
  const values: Reference[] = [
    { ...shared, name: "samples in window", value: inside.length, unit: "1" },
    { ...shared, name: "unit_mean_power", value: mean_w, unit: "W", detail: "mean of the samples in the window" },
    { ...shared, name: "unit_energy", value: energy_j, unit: "J", detail: "sample mean times duration" },
  ];
  if (queries !== undefined) {
    values.push({ ...shared, name: "energy_per_unit", value: energy_j / queries, unit: "J", detail: `${Math.round(queries)} queries` });
  }
  const trapezoid_j = trapezoid(log, window);
  return [...values, { ...shared, method: "MLPerf Power, point trapezoid", name: "unit_energy", value: trapezoid_j, unit: "J" }];
}

/** Joules under straight lines through the samples, inside the window. */
function trapezoid({ times_ms, power_w }: PowerLog, { begin_ms, end_ms }: PowerWindow): number {
  let energy_j = 0;
  for (let k = 1; k < times_ms.length; k++) {
    const from_ms = times_ms[k - 1]!;
    const length_ms = times_ms[k]! - from_ms;
    const low_ms = Math.max(begin_ms, from_ms);
    const high_ms = Math.min(end_ms, times_ms[k]!);
    if (high_ms <= low_ms) continue;
    const middle = ((low_ms + high_ms) / 2 - from_ms) / length_ms;
    const watts = power_w[k - 1]! + (power_w[k]! - power_w[k - 1]!) * middle;
    energy_j += (watts * (high_ms - low_ms)) / 1000;
  }
  return energy_j;
}

/**
 * How many queries the run issued, as MLPerf counts them; undefined where its logs do not tell.
 *
 * Before version 2.0 the log has no count, and the checker takes the rate times the duration of the power window.
 */
export function queryCount(detail: ReadonlyMap<string, unknown>, { begin_ms, end_ms }: PowerWindow): number | undefined {
  const count = detail.get("result_query_count");
  if (typeof count === "number") return count;
  const rate_hz = detail.get("result_qps_with_loadgen_overhead");
  return typeof rate_hz === "number" ? (rate_hz * (end_ms - begin_ms)) / 1000 : undefined;
}
