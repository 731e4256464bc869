import type { PowerBins } from "../../src/clock/pulses.ts";
import type { Block } from "../../src/model/block.ts";
import { power, tickAt } from "../../src/model/block.ts";
import { idealBlocks } from "../../src/simulate/ideal.ts";
import { type Plant, together } from "../../src/simulate/plant.ts";
import { between, exponential, normal, type Random, seeded } from "../../src/simulate/random.ts";
import { fromSteps, type Step, throughPole, waveform } from "../../src/simulate/waveforms.ts";
import { PULSE_CODE } from "../../src/wire/pulses.ts";

/** When the device says that the train begins; power comes `late_s` later. */
export const TRAIN_S = 3;
const TO_S = TRAIN_S + 8;

export interface Trial {
  readonly seed: number;
  readonly rate_hz: number;
  readonly tau_s: number;
  readonly late_s?: number;
  readonly noise_w?: number;
  readonly step_w?: number;
  /** A workload that ends shortly before the train, or begins shortly after it. */
  readonly neighbour?: boolean;
  /** Without bursts and wake latency. */
  readonly exact?: boolean;
}

export const PULSES = PULSE_CODE.map(({ on_s, off_s }) => ({ on_s: TRAIN_S + on_s, off_s: TRAIN_S + off_s }));

/** 2 W steps behind one pole, 0.15 W of noise on every sample, bursts of something else; a core wakes 0.4 ± 0.3 ms late. */
export function trialBins(trial: Trial): PowerBins {
  const { seed, rate_hz, tau_s, late_s = 0, noise_w = 0.15, step_w = 2, neighbour = false, exact = false } = trial;
  const random = seeded(seed);
  const steps = PULSES.map(({ on_s, off_s }): Step => {
    const wake_s = exact ? 0 : 0.4e-3 + 0.3e-3 * Math.max(-1.3, Math.min(1.3, normal(random)));
    return { from_s: on_s + late_s + wake_s, to_s: off_s + late_s, power_w: step_w };
  });
  const idle = waveform([], { rest_w: 1.2 });
  const loads: Plant[] = [waveform(throughPole(steps, tau_s, 0)), waveform(fromSteps(exact ? [] : bursts(random)))];
  if (neighbour) loads.push(waveform(fromSteps(work(late_s))));
  const blocks = idealBlocks(together(idle, ...loads), { source: "meter", rate_hz, sampler: "integrating" }, 0, TO_S);
  return binsOf(blocks, rate_hz, () => (noise_w === 0 ? 0 : noise_w * normal(random)));
}

/** 7 W until half a second before the train, and again soon after it. */
const work = (late_s: number): Step[] => [
  { from_s: 0, to_s: TRAIN_S + late_s - 0.5, power_w: 7 },
  { from_s: TRAIN_S + late_s + 5, to_s: TO_S, power_w: 7 },
];

/** About one burst a second of something else: a quarter of a watt for 30 to 60 ms. */
function bursts(random: Random): Step[] {
  const steps: Step[] = [];
  for (let from_s = exponential(random, 1); from_s < TO_S; from_s += 0.07 + exponential(random, 0.93))
    steps.push({ from_s, to_s: from_s + between(random, 0.03, 0.06), power_w: 0.25 });
  return steps;
}

function binsOf(blocks: Iterable<Block>, rate_hz: number, noise_w: () => number): PowerBins {
  const length = TO_S * rate_hz;
  const end_s = new Float64Array(length);
  const mean_w = new Float64Array(length);
  let at = 0;
  for (const block of blocks) {
    const power_w = power(block, "main")!;
    for (let k = 0; k < block.length && at < length; k++) {
      end_s[at] = tickAt(block, k) / rate_hz;
      mean_w[at++] = power_w[k]! + noise_w();
    }
  }
  return { start_s: end_s.map((end) => end - 1 / rate_hz), end_s, mean_w };
}
