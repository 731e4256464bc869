import type { Accuracy } from "../model/instrument.ts";
import type { Reference } from "../model/recording.ts";
import type { MeltClock } from "./melt-clocks.ts";
import type { MeltConfiguration } from "./melt-files.ts";
import type { MeltRun } from "./melt-run.ts";
import type { MeterTrace } from "./meter-recording.ts";

/** The power of a MELT run, whatever recorded it, and what MELT's own scripts make of it. */
export interface MeltMeter {
  readonly trace: MeterTrace;
  readonly channel: string;
  readonly accuracy: Accuracy;
  /** Longest distance of two samples that is still no gap. */
  readonly longest_s: number;
  /** When the trace's times were zero, seconds since 1970 on the recording computer's clock. */
  readonly zero: MeltClock;
  /** From when to when there is power, seconds since 1970, as MELT places it. */
  readonly span_s: readonly [number, number];
  /** Seconds since 1970 at session zero. */
  readonly origin_s: number;
  readonly temperatures: readonly { readonly zone: string; readonly at_s: number; readonly value_degc: number }[];
  /** What MELT's own script computes from these files. */
  readonly references: (run: MeltRun) => readonly Reference[];
  /** Sentences about what its method does to this folder's power. */
  readonly defects: (run: MeltRun, configuration: MeltConfiguration) => readonly string[];
}
