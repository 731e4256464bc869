/** What a Monsoon measured, as the program that read it saw it: made from a known truth, so that imports can be checked. */
export interface MonsoonRow {
  /** True end of the sample on the clock of the recording computer, seconds. */
  readonly end_s: number;
  /** When the computer had read the packet the sample came in. */
  readonly stamp_s: number;
  readonly current_ma: number;
  readonly voltage_v: number;
}

export interface MonsoonOptions {
  readonly duration_s: number;
  /** Milliamperes at a time; the supply sags by 0.1 V per ampere from 4.2 V. */
  readonly current_ma: (time_s: number) => number;
  /** Rate error of the meter's crystal. */
  readonly ppm?: number;
  /** Of 108 samples 8 are thrown away, as `periodicCollectSamples(100)` of PyMonsoon does. */
  readonly dropping?: boolean;
  /** Mean of the exponentially distributed lateness of a packet, seconds. */
  readonly late_s?: number;
  /** Stretches [from, to) of which nothing was kept. */
  readonly gaps?: readonly (readonly [number, number])[];
  /** Stretches [from, to) in which the computer was busy; packets wait and are read at the end of it. */
  readonly stalls?: readonly (readonly [number, number])[];
}

const STEP_S = 200e-6;
const LEAST_LATE_S = 100e-6;

/** Rows of a measurement with a fixed seed: packets of three samples, one stamp each. */
export function monsoonRows(options: MonsoonOptions): MonsoonRow[] {
  const { duration_s, current_ma, ppm = 0, dropping = false, late_s = 0, gaps = [], stalls = [] } = options;
  const rows: MonsoonRow[] = [];
  const step_s = STEP_S / (1 + ppm * 1e-6);
  const random = mulberry32(7);
  let read_s = 0;
  for (let k = 0; (k + 3) * step_s <= duration_s; k += 3) {
    const over_s = (k + 3) * step_s;
    const stall = stalls.find(([from, to]) => over_s >= from && over_s < to);
    const ready_s = Math.max(over_s, stall?.[1] ?? 0) + LEAST_LATE_S - late_s * Math.log(1 - random());
    // Packets are read one after the other, and one takes 20 µs.
    read_s = Math.max(ready_s, read_s + 20e-6);
    const lost = gaps.some(([from, to]) => over_s >= from && over_s < to);
    for (let n = 0; n < 3; n++) {
      const end_s = (k + n + 1) * step_s;
      if (lost || (dropping && (k + n) % 108 >= 100)) continue;
      const ma = current_ma(end_s - step_s / 2);
      rows.push({ end_s, stamp_s: read_s, current_ma: ma, voltage_v: 4.2 - 1e-4 * ma });
    }
  }
  return rows;
}

/** As PyMonsoon writes rows; `digits` of the stamp. */
export const asPyMonsoon = (rows: readonly MonsoonRow[]): string =>
  rows.map((row) => `${row.stamp_s},${row.current_ma},${row.voltage_v},\n`).join("");

/** Joules of the truth between two times, in steps of a tenth of a sample. */
export function trueEnergy_j({ current_ma }: MonsoonOptions, from_s: number, to_s: number): number {
  const steps = Math.round((to_s - from_s) / (STEP_S / 10));
  const step_s = (to_s - from_s) / steps;
  let energy_j = 0;
  for (let k = 0; k < steps; k++) {
    const ma = current_ma(from_s + (k + 0.5) * step_s);
    energy_j += (ma / 1000) * (4.2 - 1e-4 * ma) * step_s;
  }
  return energy_j;
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
