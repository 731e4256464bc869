import type { SessionSeconds } from "./clock.ts";

/**
 * Parts of a request: `prefill` = [request_start, first_token), `decode` = [first_token, last token),
 * `tail` = [last token, request_end), `request` = prefill + decode, `token` k = [token k, token k + 1).
 * `load` and `unit` are what their events enclose; `idle` is the baseline.
 */
export type Phase = "load" | "prefill" | "decode" | "tail" | "request" | "token" | "unit" | "idle";

/** Half-open interval `[start_s, end_s)` of session time, with the work done in it. */
export interface Window {
  readonly phase: Phase;
  readonly request: string;
  readonly start_s: SessionSeconds;
  readonly end_s: SessionSeconds;
  /** Prompt tokens of a prefill, tokens after the first of a decode, output tokens of a request, units of a unit. */
  readonly tokens: number;
  /** For `token`: k, counted from the first output token, which is 0. */
  readonly index?: number;
  readonly unit?: string;
  /** For `unit`: the name of the stage of a request, or of a larger unit, that it is. */
  readonly stage?: string;
  readonly correct?: number;
  readonly flags: readonly string[];
}

/** Flags that take a request out of the summary. */
export const EXCLUDING_FLAGS: ReadonlySet<string> = new Set([
  ...["INVALID", "CONCURRENT", "EVENTS_OUT_OF_ORDER"],
  ...["OUTCOME_OOM", "OUTCOME_CRASH", "OUTCOME_REFUSED", "OUTCOME_TIMEOUT"],
]);

/** Bounds on an energy that a gap leaves open, joules: with the gap at the extremes seen anywhere, or in the same phase. */
export interface GapBounds {
  readonly session: readonly [number, number];
  readonly same_phase: readonly [number, number];
}

/** One component of an uncertainty budget: its name and its standard uncertainty in the unit of the value. */
export interface Component {
  readonly name: string;
  readonly u: number;
  /** Degrees of freedom; Infinity for a type B component. */
  readonly dof: number;
}

/**
 * A result in the sense of the GUM (JCGM 100:2008): a value is not reported without its uncertainty.
 *
 * `value` is null where nothing was measured, which is not zero.
 */
export interface Measurement {
  readonly name: string;
  readonly value: number | null;
  readonly unit: string;
  /** Standard uncertainty (k = 1), same unit as `value`; null with a null value. */
  readonly uncertainty: number | null;
  /** Fraction of the window covered by samples, 0..1; 1 where no power was to be measured. */
  readonly coverage: number;
  /** `<source>.<channel>` measured, or the clock a time was read on. */
  readonly source: string;
  readonly phase: Phase;
  readonly request: string;
  readonly index?: number;
  readonly tokens: number;
  readonly start_s: number;
  readonly end_s: number;
  readonly flags: readonly string[];
  readonly bounds?: GapBounds;
}
