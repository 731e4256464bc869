import { expect, test } from "vitest";
import { ratios } from "../../src/metrics/compare.ts";
import type { Block } from "../../src/model/block.ts";
import { identityMap } from "../../src/model/clock.ts";
import type { InferenceEvent } from "../../src/model/event.ts";
import type { Recording } from "../../src/model/recording.ts";
import type { Results } from "../../src/model/results.ts";
import { idealBlocks } from "../../src/simulate/ideal.ts";
import { type Phone, phonePlant } from "../../src/simulate/phone.ts";
import { seeded } from "../../src/simulate/random.ts";
import { measured } from "./measured.ts";

const RATE_HZ = 1000;
const IDLE_S = 10;
/** What is wrong with the meter, and what its rig believes of it: a wrong shunt that is known to 3 %. */
const GAIN_ERROR = 1.05;
const GAIN_U = 0.03;

/** A phone measured at 1 kHz by a meter that shows everything 5 % too high. */
function session(phone: Phone, noise_w: number, seed: number): Results {
  const random = seeded(seed);
  const rate = { rate_hz: RATE_HZ };
  const blocks = (): Block[] => [
    ...idealBlocks(phone.plant, { source: "m", ...rate, sampler: "integrating" }, -IDLE_S, phone.end_s + IDLE_S),
  ];
  const shown = blocks().map((block): Block => {
    const power_w = block.columns["main.power_w"]!.map((each) => GAIN_ERROR * (each + noise_w * (random() - 0.5)));
    return { ...block, columns: { "main.power_w": power_w } };
  });
  const meter = identityMap("m", 0);
  const accuracy = { gain: GAIN_U, currentOffset_a: 0, voltageOffset_v: 0, currentResolution_a: 0, voltageResolution_v: 0, sampling_s: 0 };
  return measured({
    measurand: { source: "m", channel: "main", accuracy },
    maps: [{ ...meter, pieces: meter.pieces.map((each) => ({ ...each, ...rate })) }, identityMap("d", 0, 50e-6)],
    events: phone.events.map(
      ({ true_s, request = "load", ...event }): InferenceEvent => ({ ...event, request, source: "d", epoch: 0, tick: true_s }),
    ),
    readings: [],
    idle: [[-IDLE_S, 0]],
    faults: [],
    references: [],
    clocks: {},
    blocks: () => shown,
  } satisfies Recording).results;
}

test("a meter that is 5 % off: values far from the truth, but the ratio of two phones inside its narrow interval", () => {
  const phones = [1, 2].map((seed) => phonePlant({ seed, prompts: 8 }));
  const [first, second] = phones.map((phone, i) => session(phone, 0.2, i)) as [Results, Results];
  const truth = phones.map((phone) => phone.truth());
  for (const name of ["decode_energy_per_token", "decode_energy_per_token_net", "request_energy_per_output_token", "prefill_energy"]) {
    const { ratio, expanded_uncertainty: U } = ratios(first, second, true).find((each) => each.name === name)!;
    const wanted = truth[1]![name]! / truth[0]![name]!;
    expect(first.summary[name]!.value / truth[0]![name]! - 1, name).toBeGreaterThan(0.045);
    expect(Math.abs(ratio! - wanted), name).toBeLessThan(U!);
    expect(U! / ratio!, name).toBeLessThan(0.01);
    const apart = ratios(first, second, false).find((each) => each.name === name)!;
    expect(apart.expanded_uncertainty! / ratio!, name).toBeGreaterThan(0.08);
  }
});
