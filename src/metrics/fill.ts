import type { Window } from "../model/measurement.ts";
import { type EnergyContext, measuredPower_w, type WindowEnergy, windowEnergy } from "./energies.ts";
import { flagMissingTokens } from "./window-flags.ts";

/** Energies of all windows. A gap is filled by the same phase of the same request, else by that phase of the session. */
export function energiesOf(windows: readonly Window[], context: EnergyContext): readonly WindowEnergy[] {
  const totals = new Map<string, { energy_j: number; covered_s: number }>();
  const add = (key: string, part: { energy_j: number; covered_s: number }): void => {
    const total = totals.get(key) ?? { energy_j: 0, covered_s: 0 };
    totals.set(key, { energy_j: total.energy_j + part.energy_j, covered_s: total.covered_s + part.covered_s });
  };
  for (const window of windows) {
    if (window.phase === "token" || window.phase === "request") continue;
    const part = measuredPower_w(window, context);
    add(`${likeness(window)}/${window.request}`, part);
    add(likeness(window), part);
  }
  const like = (phase: string, request: string): number => {
    const own = totals.get(`${phase}/${request}`);
    const total = own && own.covered_s > 0 ? own : totals.get(phase);
    return total && total.covered_s > 0 ? total.energy_j / total.covered_s : Number.NaN;
  };
  const parts = new Map<string, { missing_s: number; fill_j: number }>();
  const ofPart = (window: Window): WindowEnergy => {
    const phase = likeness(window);
    const energy = windowEnergy(window, () => like(phase, window.request), context);
    if (energy.coverage < 1 && (window.phase === "prefill" || window.phase === "decode")) {
      const missing_s = (1 - energy.coverage) * (window.end_s - window.start_s);
      const part = parts.get(window.request) ?? { missing_s: 0, fill_j: 0 };
      const fill_j = part.fill_j + missing_s * like(phase, window.request);
      parts.set(window.request, { missing_s: part.missing_s + missing_s, fill_j });
    }
    return energy;
  };
  /** A request misses what its prefill and its decode miss. */
  const ofRequest = (window: Window): WindowEnergy => {
    const part = parts.get(window.request);
    return windowEnergy(window, () => (part ? part.fill_j / part.missing_s : like("decode", window.request)), context);
  };
  const isRequest = (window: Window): boolean => window.phase === "request";
  const energies = windows.filter((each) => !isRequest(each)).map(ofPart);
  return flagMissingTokens(energies.concat(windows.filter(isRequest).map(ofRequest)));
}

/** What fills a gap of a window: its phase, its stage, and of a token the decode it is of. */
const likeness = ({ phase, stage }: Window): string => (phase === "token" ? "decode" : stage === undefined ? phase : `${phase}:${stage}`);
