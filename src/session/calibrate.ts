import { type CalibrationResult, calibrate, type LoadReference, type SteadyReading } from "../metrics/calibration.ts";
import { JoulebenchError } from "../model/errors.ts";
import { type Calibration, instrumentOf, type Rig } from "../rig/rig.ts";
import { readSteadily, type WatchedChannel } from "./steady.ts";

export interface CalibrationReadings {
  /** With nothing connected. */
  readonly zero?: SteadyReading;
  /** Under a load, and what is known of that. */
  readonly load?: SteadyReading;
  readonly reference?: LoadReference;
}

export interface CalibrationOutcome extends CalibrationResult {
  /** Values in force before, by option, of those that are found. */
  readonly before: Readonly<Record<string, unknown>>;
  /** What goes into the rig. */
  readonly calibration: Calibration;
}

/** A current known worse than this says nothing of the gain. */
const LARGEST_U = 0.05;
/** A gain further off is another shunt or another load than the rig or the user says. */
const LARGEST_GAIN = 1.25;
/** Significant digits kept of values and of uncertainties. */
const VALUE_DIGITS = 7;
const UNCERTAINTY_DIGITS = 3;

/** Reads the channel with nothing connected to it: an emulated load is taken off, a real one the user has disconnected. */
export const readZero = (rig: Rig, at: WatchedChannel): Promise<SteadyReading> =>
  readSteadily({ ...rig, simulate: { ...rig.simulate, load_w: 0 } }, at);

/** Reads the channel under the load it has. */
export const readLoad = (rig: Rig, at: WatchedChannel): Promise<SteadyReading> => readSteadily(rig, at);

/**
 * The calibration that readings amount to, as the rig keeps it.
 *
 * @param now ISO 8601, the date of the calibration
 * @throws JoulebenchError `config` when the load cannot be what it was said to be
 */
export function calibrationOf(
  rig: Rig,
  { source, channel }: Pick<WatchedChannel, "source" | "channel">,
  readings: CalibrationReadings,
  { now, method }: { readonly now: string; readonly method: string },
): CalibrationOutcome {
  const { kind, options, rigged } = instrumentOf(rig, source);
  if (!kind.calibration) throw new JoulebenchError("config", source, `a ${kind.kind} cannot be calibrated by joulebench`);
  const own = { ...kind.accuracy(options, channel), voltageGain_u: kind.calibration.voltageGain_u };
  const result = calibrate(readings, readings.reference, own);
  if (readings.load) refuseNonsense(source, readings.load, result);
  const values = rounded(kind.calibration.correct(options, result.errors));
  const before = Object.fromEntries(Object.keys(values).map((key) => [key, (options as Record<string, unknown>)[key]]));
  const hasGain = result.errors.currentGain !== undefined;
  return { ...result, before, calibration: dated(rigged.calibration, values, { now, method, hasGain }) };
}

function refuseNonsense(source: string, { current_a, voltage_v }: SteadyReading, { errors, budget }: CalibrationResult): void {
  const gain = errors.currentGain?.value ?? Number.NaN;
  const u = Math.hypot(...(budget.current ?? []).map((each) => each.u));
  const shows = `the channel shows ${current_a.value.toPrecision(3)} A at ${voltage_v.value.toPrecision(4)} V`;
  if (!(gain > 0) || u > LARGEST_U)
    throw new JoulebenchError("config", source, `${shows}: is the load connected, steady, and the shunt's leads the right way round?`);
  if (gain < 1 / LARGEST_GAIN || gain > LARGEST_GAIN)
    throw new JoulebenchError(
      "config",
      source,
      `${shows}, but the load should draw ${(current_a.value * gain).toPrecision(3)} A: is it this load? If so, correct shunt_ohm in the rig first`,
    );
}

/** A zero measured later does not make an earlier gain younger: the date is the gain's wherever there is one. */
function dated(
  earlier: Calibration | undefined,
  values: Readonly<Record<string, number>>,
  { now, method, hasGain }: { readonly now: string; readonly method: string; readonly hasGain: boolean },
): Calibration {
  if (!earlier) return { date: now, method, ...values };
  if (!hasGain) return { ...earlier, method: [earlier.method, `${method} on ${now}`].filter(Boolean).join("; "), ...values };
  const { date: _date, method: _method, ...kept } = earlier;
  return { date: now, method, ...kept, ...values };
}

function rounded(values: Readonly<Record<string, number>>): Record<string, number> {
  const digits = (key: string): number => (key.includes("uncertainty") ? UNCERTAINTY_DIGITS : VALUE_DIGITS);
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Number(value.toPrecision(digits(key)))]));
}
