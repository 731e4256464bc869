import type { CoolDown } from "../rig/conditions.ts";
import { type GateReading, type GateVerdict, judgeCoolDown, zoneOf } from "../rig/gate.ts";
import { type Temperatures, temperatureAt } from "../rig/temperature.ts";

/** Where a gate gets its readings and its time. */
export interface GateSource {
  readonly temperatures: () => Promise<Temperatures>;
  /** Any clock that runs evenly, s. */
  readonly now_s: () => number;
  /** Lets time pass, or less when `signal` is aborted. */
  readonly wait: (duration_s: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** Told of every verdict. */
  readonly says: (detail: string) => void;
}

/** Waits at the gate of a cell until it opens or is given up; an interrupted wait ends where it is. @throws what reading throws */
export async function coolDown(rule: CoolDown, start_degc: number | undefined, source: GateSource): Promise<GateVerdict> {
  const readings: GateReading[] = [];
  let verdict: GateVerdict = { state: "wait", detail: "" };
  while (!source.signal.aborted) {
    const found = await source.temperatures();
    const degc = temperatureAt(found, zoneOf(rule));
    readings.push({ at_s: source.now_s(), degc });
    verdict = judgeCoolDown(readings, rule, start_degc);
    if (degc === undefined) verdict = { ...verdict, detail: `${verdict.detail}; there are: ${[...found.keys()].join(", ") || "none"}` };
    source.says(verdict.detail);
    if (verdict.state !== "wait") return verdict;
    forget(readings, rule);
    await source.wait(rule.every_s, source.signal);
  }
  return verdict;
}

/** A long wait is judged by its beginning and its latest part. */
function forget(readings: GateReading[], { hold_s, every_s }: CoolDown): void {
  const kept = Math.ceil((2 * hold_s) / every_s) + 8;
  if (readings.length > 2 * kept) readings.splice(1, readings.length - 1 - kept);
}
