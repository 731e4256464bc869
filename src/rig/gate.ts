import type { CoolDown } from "./conditions.ts";

/** The temperature of the gate's zone at one moment; absent where it could not be read. Any clock that runs evenly. */
export interface GateReading {
  readonly at_s: number;
  readonly degc: number | undefined;
}

/** Whether a cell may begin, must wait, or is given up; and why, in words. */
export interface GateVerdict {
  readonly state: "open" | "wait" | "late";
  readonly detail: string;
}

export const zoneOf = ({ zone, channel }: Pick<CoolDown, "zone" | "channel">): string | undefined =>
  zone ?? channel?.replace("temperature_degc:", "");

/**
 * Judges all readings since the gate was reached. It opens when every reading of the last `hold_s` satisfies the rule,
 * none was missing, and the slope over them does. What cannot be read is never cool.
 *
 * @param start_degc before the first cell; undefined where it could not be read, and then nothing is within reach of it
 */
export function judgeCoolDown(readings: readonly GateReading[], rule: CoolDown, start_degc: number | undefined): GateVerdict {
  const [first, last] = [readings[0], readings.at(-1)];
  const name = zoneOf(rule) ?? "the warmest zone";
  if (!first || !last) return { state: "wait", detail: `${name}: not read yet` };
  // Polls never come exactly on time: a hold of 30 s is not missed by a millisecond.
  const since = readings.findLast((each) => last.at_s - each.at_s >= rule.hold_s * 0.999);
  const held = since && readings.filter((each) => each.at_s >= since.at_s);
  const missed = unmet(held ?? [last], rule, start_degc);
  if (held && !missed) return { state: "open", detail: `${name}: ${last.degc!.toFixed(1)} degC` };
  const now = last.degc === undefined ? "cannot be read" : `${last.degc.toFixed(1)} degC`;
  const detail = `${name}: ${now}; wanted ${missed ?? `for ${rule.hold_s} s`}`;
  return { state: last.at_s - first.at_s >= rule.timeout_s ? "late" : "wait", detail };
}

/** The first condition that does not hold over all of `held`. */
function unmet(held: readonly GateReading[], rule: CoolDown, start_degc: number | undefined): string | undefined {
  const { below_degc, within_degc_of_start: within, slope_degc_per_min: slope } = rule;
  const values = held.flatMap(({ degc }) => (degc === undefined ? [] : [degc]));
  if (values.length < held.length) return "a temperature";
  if (below_degc !== undefined && values.some((each) => each >= below_degc)) return `below ${below_degc} degC`;
  if (within !== undefined && (start_degc === undefined || values.some((each) => Math.abs(each - start_degc) > within)))
    return `within ${within} degC of ${start_degc === undefined ? "the start, which is unknown" : `${start_degc.toFixed(1)} degC at the start`}`;
  if (slope !== undefined && held.length > 1 && Math.abs(slopeOf(held)) * 60 > slope) return `a slope within ${slope} degC/min`;
  return undefined;
}

/** Least squares, °C per second. */
function slopeOf(readings: readonly GateReading[]): number {
  const mean = (of: (each: GateReading) => number): number => readings.reduce((sum, each) => sum + of(each), 0) / readings.length;
  const [t, y] = [mean(({ at_s }) => at_s), mean(({ degc }) => degc!)];
  const squares = readings.reduce((sum, { at_s }) => sum + (at_s - t) ** 2, 0);
  return squares === 0 ? 0 : readings.reduce((sum, { at_s, degc }) => sum + (at_s - t) * (degc! - y), 0) / squares;
}
