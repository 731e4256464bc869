import type { Phase } from "../model/measurement.ts";

/** An interval of the truth, seconds since the plant's time zero. */
export interface TrueWindow {
  readonly phase: Phase;
  readonly request: string;
  readonly start_s: number;
  readonly end_s: number;
  readonly tokens: number;
}

/**
 * The ground truth: a device whose power and energy are known in closed form at every instant.
 *
 * Time is true time in seconds; what the emulated instruments and the emulated device see of it is up to them.
 */
export interface Plant {
  /** Voltage at the supply terminals, constant. */
  readonly supply_v: number;
  power_w(t: number): number;
  /** Exact energy over [from, to), joules. */
  energy_j(from: number, to: number): number;
}
