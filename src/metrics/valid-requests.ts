import { EXCLUDING_FLAGS, type Window } from "../model/measurement.ts";
import type { WindowEnergy } from "./energies.ts";

/** Names of all requests that were seen, in the order of their windows. */
export const requestsOf = (windows: readonly Window[]): string[] => [
  ...new Set(windows.filter(({ phase }) => phase === "request").map(({ request }) => request)),
];

/**
 * Names of the requests that count: those with a prefill or a decode, none of whose phases carries a flag that excludes.
 *
 * @param energies of every window
 * @param hasPower each of a request that counts must have an energy, too
 */
export function validRequests(energies: readonly WindowEnergy[], requests: readonly string[], hasPower: boolean): string[] {
  const phases = phasesByRequest(energies);
  return requests.filter((request) => isValid(phases.get(request) ?? [], hasPower));
}

/** What the summary is made of: the windows of valid requests, and loads and units that are valid by themselves. */
export const countedOf = (energies: readonly WindowEnergy[], valid: ReadonlySet<string>): WindowEnergy[] =>
  energies.filter(({ window, flags }) =>
    window.phase === "load" || window.phase === "unit" ? !flags.includes("INVALID") : valid.has(window.request),
  );

/** What decides whether a request counts: its phases, without tail and single tokens. */
function phasesByRequest(energies: readonly WindowEnergy[]): ReadonlyMap<string, readonly WindowEnergy[]> {
  const found = new Map<string, WindowEnergy[]>();
  for (const energy of energies) {
    const { phase, request } = energy.window;
    if (phase === "token" || phase === "tail") continue;
    const own = found.get(request);
    if (own) own.push(energy);
    else found.set(request, [energy]);
  }
  return found;
}

const isValid = (phases: readonly WindowEnergy[], hasPower: boolean): boolean =>
  phases.every(({ energy_j, flags }) => (energy_j !== null || !hasPower) && !flags.some((flag) => EXCLUDING_FLAGS.has(flag))) &&
  phases.some(({ window }) => window.phase === "decode" || window.phase === "prefill");
