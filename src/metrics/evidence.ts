import type { PowerRecording, Recording } from "../model/recording.ts";
import type { SummaryValue } from "../model/results.ts";
import type { Baselines } from "./baseline.ts";
import type { EnergyContext, WindowEnergy } from "./energies.ts";

/** What the validity rules look at, whether power was measured or not. */
export interface TimeEvidence {
  readonly recording: Recording;
  /** One per window; without power they hold its flags alone. */
  readonly energies: readonly WindowEnergy[];
  readonly summary: Readonly<Record<string, SummaryValue>>;
  /** Names of the requests that count, and of all that were seen. */
  readonly valid: readonly string[];
  readonly requests: readonly string[];
  /** Units (images, inferences) measured whole, for sessions without requests. */
  readonly validUnits: number;
}

/** What the rules about power look at besides. */
export interface Evidence extends TimeEvidence {
  readonly recording: PowerRecording;
  readonly baselines: Baselines;
  readonly context: Pick<EnergyContext, "readings" | "accuracy" | "voltage_v">;
}

/** Whether a rule holds, and the sentence that says why; another level where not to hold has several meanings. */
export type Verdict = readonly [holds: boolean, sentence: string, level?: "WARN" | "FAIL"];
