import type { Fault } from "../model/errors.ts";
import type { ImportedFile, Importer } from "../model/recording.ts";
import { firstLine, readLoose } from "./loose-csv.ts";
import { collectMeter } from "./meter-folder.ts";
import { CHANNEL, cutFault, decodeMeter, type MeterTrace, medianStep, POWER } from "./meter-recording.ts";
import { type MeterRig, RIG, type StatedAccuracy } from "./meter-rig.ts";
import type { Problems } from "./problems.ts";
import { AMPERES, SECONDS, scale, splitUnit } from "./units.ts";

/** The kit samples at 100 kHz; at any lower rate the app smooths. */
const OWN_RATE_HZ = 100_000;
/** Nordic specifies the kit up to 1 A (PPK2 user guide). */
const LARGEST_A = 1;
/** Of the current; the voltage is the rig's word. Found as a quotation of Nordic's listing, not in the listing itself. */
const STATED: StatedAccuracy = { limit: 0.2, source: "Nordic's listing of the kit, better than ±20 %" };

/**
 * The CSV that nRF Connect's Power Profiler exports (pc-nrfconnect-ppk, src/actions/exportChartAction.ts):
 * `Timestamp(ms),Current(uA)`, then `D0-D7` or `D0,D1,D2,D3,D4,D5,D6,D7`, each as chosen; earlier versions `Bits`.
 *
 * A timestamp is the index of the sample over the rate; samples the kit lost are not there. Below 100 kHz a sample is no
 * mean: the app lets it follow the input by 1/n of the difference, n samples long, so that it lags by about one step.
 */
export const ppk2Csv: Importer = {
  format: "ppk2-csv",
  summary: "a CSV exported by nRF Connect's Power Profiler (PPK2), with rig.json (voltage_v) and events.jsonl beside it",
  example: "ppk2-csv recordings/board/ppk.csv --out sessions/board",
  collect: collectMeter,
  decode: (files) => decodeMeter("PPK2 CSV", files, readTrace),
};

function readTrace(file: ImportedFile, rig: MeterRig, problems: Problems): MeterTrace | undefined {
  if (rig.voltage_v === undefined) problems.add(file.name, `a PPK2 measures no voltage; state voltage_v in a ${RIG} beside it`);
  const first = firstLine(file, false);
  const cells = first?.cells ?? [];
  const parts = cells.map(splitUnit);
  const [time, current] = ["Timestamp", "Current"].map((name) => parts.findIndex((part) => part.name === name)) as [number, number];
  const second = SECONDS[rig.time_unit ?? parts[time]?.unit ?? ""];
  const ampere = AMPERES[rig.current_unit ?? parts[current]?.unit ?? ""];
  if (!first || second === undefined || ampere === undefined) {
    const found = first ? cells.join(", ") : "nothing";
    problems.add(
      `${file.name}:${first?.line ?? 1}`,
      `expected the columns Timestamp(ms) and Current(uA); found ${found}; export it with both`,
    );
    return undefined;
  }
  const table = readLoose(file, { names: cells, wanted: [time, current], next: first.next, line: first.line }, problems);
  const [times, amperes] = table.columns as readonly [Float64Array, Float64Array];
  if (table.rows < 2) {
    if (table.rows === 1) problems.add(file.name, "has one row of samples; at least two are needed");
    return undefined;
  }
  const times_s = scale(times, second);
  const current_a = scale(amperes, ampere);
  const nominal_s = rig.rate_hz === undefined ? medianStep(times_s) : 1 / rig.rate_hz;
  const smoothed = nominal_s > 1.5 / OWN_RATE_HZ;
  return {
    times_s,
    columns: { [`${CHANNEL}.current_a`]: current_a },
    voltage_v: rig.voltage_v ?? Number.NaN,
    sampler: rig.sampler ?? "integrating",
    nominal_s,
    u_s: 0,
    // The export says neither which end of its sample a timestamp is, nor how far the app's smoothing lags.
    sampling_s: smoothed ? nominal_s : nominal_s / 2 / Math.sqrt(3),
    stated: STATED,
    facts: {
      map: "index of the sample over the rate, by the app",
      time_unit: `${rig.time_unit ?? parts[time]!.unit}, ${rig.time_unit ? "by rig.json" : "by the header"}`,
      current_unit: `${rig.current_unit ?? parts[current]!.unit}, ${rig.current_unit ? "by rig.json" : "by the header"}`,
      voltage: "as rig.json states it",
      rate_hz: 1 / nominal_s,
      ...(smoothed ? { smoothing: "below 100 kHz the app smooths: samples lag by about one step" } : {}),
    },
    faults: [...cutFault(table), ...overRange(current_a)],
  };
}

function overRange(current_a: Float64Array): readonly Fault[] {
  const count = current_a.reduce((sum, each) => sum + (each > LARGEST_A ? 1 : 0), 0);
  const detail = `above ${LARGEST_A} A, where the kit is not specified`;
  return count > 0 ? [{ source: POWER, code: "over_range", count, at_s: 0, detail }] : [];
}
