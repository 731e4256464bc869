import type { ColumnKey } from "../model/block.ts";
import type { Fault } from "../model/errors.ts";
import { type MeterTrace, POWER } from "./meter-recording.ts";
import type { MeterRig } from "./meter-rig.ts";
import { fitStamps } from "./stamps.ts";

/** A Monsoon converts every 200 µs (PyMonsoon, docs/API.pdf; HVPM and LVPM alike). */
export const OWN_RATE_HZ = 5000;

/**
 * A Monsoon's samples with the stamps PyMonsoon gave them: host time at which a packet of one to three samples was read.
 *
 * Where PyMonsoon dropped samples here and there, each row stands for a little more than was sampled, and is `averaged`.
 */
export function monsoonTrace(stamps_s: Float64Array, columns: Readonly<Record<ColumnKey, Float64Array>>, rig: MeterRig): MeterTrace {
  const own_s = 1 / (rig.rate_hz ?? OWN_RATE_HZ);
  const fit = fitStamps(stamps_s, own_s);
  const faults: Fault[] = [];
  if (fit.spread > 0) {
    const share = ((100 * fit.spread) / (fit.spread + stamps_s.length)).toFixed(1);
    const detail = `${share} % of the samples are missing here and there; each row stands for ${(fit.step_s * 1e6).toFixed(1)} µs`;
    faults.push({ source: POWER, code: "lost_samples", count: fit.spread, at_s: 0, detail });
  }
  return {
    times_s: fit.times_s,
    columns,
    sampler: rig.sampler ?? (fit.spread > 0 ? "averaged" : "integrating"),
    nominal_s: fit.step_s,
    u_s: fit.u_s,
    sampling_s: 0,
    facts: {
      map: "index of the row times a fitted rate, under the stamps, which are arrivals at the recording computer",
      rows: stamps_s.length,
      stamps: fit.stamps,
      rows_sharing_a_stamp: fit.shared,
      rate_hz: 1 / fit.step_s,
      ...(fit.nominal_s === undefined
        ? { nominal: `rows do not come at ${Math.round(1 / own_s)} Hz: what is missing cannot be counted` }
        : { nominal_hz: 1 / fit.nominal_s, missing_here_and_there: fit.spread }),
      u_s: fit.u_s,
    },
    faults,
  };
}
