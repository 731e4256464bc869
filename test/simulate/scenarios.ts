import { readFileSync } from "node:fs";
import type { Step } from "../../src/simulate/waveforms.ts";

interface Scenario {
  readonly id: string;
  readonly expect: Readonly<Record<string, number>>;
}

const scenarios = JSON.parse(readFileSync(new URL("../scenarios/scenarios.json", import.meta.url), "utf8")) as Scenario[];

/** A ground-truth scenario by its id. */
export function scenario(id: string): Scenario {
  const found = scenarios.find((entry) => entry.id === id);
  if (!found) throw new RangeError(`no scenario ${id}`);
  return found;
}

/** S2: idle, prefill, decode, idle. */
export const S2_STEPS: readonly Step[] = [
  { from_s: 0, to_s: 2, power_w: 1.2 },
  { from_s: 2, to_s: 3.2, power_w: 9 },
  { from_s: 3.2, to_s: 13.2, power_w: 5 },
  { from_s: 13.2, to_s: 16, power_w: 1.2 },
];
