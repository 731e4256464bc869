/** Telemetry that is looked up, not integrated: a temperature, a clock, a state. `tick` counts on the source's clock. */
export interface Reading {
  readonly source: string;
  readonly epoch: number;
  readonly channel: string;
  readonly tick: number;
  readonly value: number | string;
}
