import type { Window } from "../model/measurement.ts";
import { combined } from "./budget.ts";
import type { CounterReadings } from "./counter.ts";
import type { WindowEnergy } from "./energies.ts";

/** A phase may miss this share of its time; what misses more is INVALID (docs/architecture.md, rule 7). */
export const LARGEST_MISSING_SHARE = 0.01;
/** The filling of gaps may leave this share of the energy open (rule 7). */
export const LARGEST_GAP_UNCERTAINTY = 0.005;

/** What the flags of a window follow from. */
export interface FlagFacts extends Pick<WindowEnergy, "window" | "coverage" | "energy_j" | "components"> {
  readonly hasGap: boolean;
  readonly readings: CounterReadings;
  /** Instants of the window's edges. */
  readonly i: number;
  readonly j: number;
}

/** Most windows have none: they share it. */
const NO_FLAGS: readonly string[] = [];

/** Flags by which whoever cut a window says that it cannot be valid. */
export const isReason = (flag: string): boolean => flag === "CLOCK_STEP" || flag === "TAPE_LAPSE";

/** Flags of a window: `GAP` where any time is missing, and where that is too much, or in the wrong place, why, and `INVALID`. */
export function flagsOf({ window, i, j, coverage, hasGap, energy_j, components, readings }: FlagFacts): readonly string[] {
  const isEdgeMissing = readings.gap_s[i]! > 0 || readings.gap_s[j]! > 0;
  if (!hasGap && !isEdgeMissing && !readings.isPointwise && window.flags.length === 0) return NO_FLAGS;
  const flags = window.flags.filter((flag) => !isReason(flag));
  if (hasGap) flags.push("GAP");
  if (readings.isPointwise && window.phase !== "token") flags.push("POINT_SAMPLER");
  const reasons = window.flags.filter(isReason);
  if (1 - coverage > LARGEST_MISSING_SHARE) reasons.push("COVERAGE");
  const u_gap = combined(components.filter((each) => each.name === "gap"));
  if (energy_j !== null && u_gap > LARGEST_GAP_UNCERTAINTY * Math.abs(energy_j)) reasons.push("GAP_UNCERTAINTY");
  if (isEdgeMissing) reasons.push("EDGE_GAP");
  return reasons.length > 0 ? [...flags, ...reasons, "INVALID"] : flags;
}

/** A token that lies wholly in a gap has no energy, and makes invalid the decode and the request it belongs to. */
export function flagMissingTokens(energies: readonly WindowEnergy[]): readonly WindowEnergy[] {
  const missing = energies.filter(({ window, energy_j }) => window.phase === "token" && energy_j === null);
  if (missing.length === 0) return energies;
  const struck = new Set(missing.map(({ window }) => window.request));
  return energies.map((each) =>
    holdsTokens(each.window) && struck.has(each.window.request) ? { ...each, flags: withReason(each.flags, "TOKEN_IN_GAP") } : each,
  );
}

const holdsTokens = ({ phase }: Window): boolean => phase === "decode" || phase === "request";

const withReason = (flags: readonly string[], reason: string): string[] => [
  ...flags.filter((flag) => flag !== "INVALID"),
  reason,
  "INVALID",
];
