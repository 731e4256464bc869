import type { Fault } from "./errors.ts";
import type { Outcome } from "./event.ts";
import type { Measurement } from "./measurement.ts";
import type { Reference } from "./recording.ts";

/** A value over all valid requests: expanded uncertainty U = k * u at about 95 %, from n requests. */
export interface SummaryValue {
  readonly value: number;
  readonly unit: string;
  readonly expanded_uncertainty: number;
  readonly k: number;
  readonly n: number;
  /** Lag-1 autocorrelation of successive requests, and as many independent ones as they are worth. */
  readonly lag1?: number;
  readonly n_eff?: number;
}

/** How a quantity is distributed over valid requests: nearest-rank percentiles. */
export interface Percentiles {
  readonly unit: string;
  readonly n: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
}

/** One validity rule applied to one session. Only a FAIL makes a session invalid. */
export interface RuleResult {
  readonly rule: string;
  readonly level: "WARN" | "FAIL";
  readonly pass: boolean;
  readonly detail: string;
}

/** One line of an uncertainty budget: standard uncertainty in the unit of the summary value it belongs to. */
export interface BudgetLine {
  readonly component: string;
  readonly u: number;
  readonly dof: number | null;
}

/** A request that did not end well. */
export interface RequestOutcome {
  readonly request: string;
  readonly outcome: Outcome;
}

/** A stretch of session time in which the device was slower than it can be; docs/architecture.md. */
export interface ThrottlingEpisode {
  readonly onset_s: number;
  readonly onset_performance_s: number | null;
  readonly end_s: number | null;
  readonly cause: string;
  readonly class: string;
  readonly evidence: readonly string[];
  readonly severity: number | null;
}

/** What `results.json` holds and `analyze --json` prints. No wall time, no path: the same tape gives the same bytes. */
export interface Results {
  readonly format: 1;
  readonly session: string;
  /** `<source>.<channel>` of the power that counts; null where none was measured. */
  readonly measurand: string | null;
  readonly baseline: { readonly name: string; readonly power_w: number | null; readonly uncertainty_w: number | null };
  readonly measurements: readonly Measurement[];
  readonly summary: Readonly<Record<string, SummaryValue>>;
  readonly budget: Readonly<Record<string, readonly BudgetLine[]>>;
  readonly percentiles: Readonly<Record<string, Percentiles>>;
  readonly references: readonly Reference[];
  readonly clocks: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  /** Requests that did not end well: they are results, and in no summary. */
  readonly outcomes: readonly RequestOutcome[];
  readonly throttling: { readonly episodes: readonly ThrottlingEpisode[] };
  readonly faults: readonly Fault[];
  readonly validity: readonly RuleResult[];
}
