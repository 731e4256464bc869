import { scenario } from "../scenarios/render.ts";
import { idealBench } from "./ideal-recording.ts";
import { type LiveRecording, liveRecording } from "./live-recording.ts";
import { type Measured, measured } from "./measured.ts";

/** One value of a scenario as it was found, what is exact, and how far apart they may be; SI units. */
export interface Check {
  readonly name: string;
  readonly found: number | null;
  readonly expected: number;
  readonly tolerance: number;
}

const DT_S = 1 / 5000;
/** Largest error of events against samples, of S8. */
const E_S = 0.3e-3;

/** science.md 6: what sampling and the clocks may move over steps of so many watts in all. */
const edges_j = (steps_w: number): number => steps_w * (DT_S / 4 + E_S);

/** A scenario seen live through clocks and links that are drawn from `seed`. */
export function liveChecks(id: string, seed: number): readonly Check[] {
  const bench = idealBench(id === "S8" ? "S2" : id);
  const live = liveRecording(bench, "integrating", seed);
  return [...alignmentChecks(live, bench.end_s), ...CHECKS[id]!(measured(live.recording), live)];
}

export const LIVE = ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10"] as const;

const ALIKE_S2 = ({ one }: Measured): Check[] => {
  const truth = scenario("S2").expect;
  const near = (name: string, expected: number, tolerance: number): Check => ({ name, found: one(name).value, expected, tolerance });
  return [
    near("prefill_energy", truth.prefill_J!, edges_j(11.8)),
    near("prefill_energy_per_prompt_token", truth.prefill_J_per_prompt_token!, edges_j(11.8) / 240),
    near("decode_energy", truth.decode_J!, edges_j(7.8)),
    near("decode_energy_per_token", truth.decode_J_per_token!, edges_j(7.8) / 100),
    near("request_energy", truth.total_J!, edges_j(11.6)),
    near("request_energy_per_output_token", truth.total_J_per_output_token!, edges_j(11.6) / 101),
    near("idle_power", truth.idle_W!, 1e-9),
    near("prefill_energy_net", truth.prefill_net_J!, edges_j(11.8)),
    near("decode_energy_per_token_net", truth.decode_net_J_per_token!, edges_j(7.8) / 100),
    near("request_energy_per_output_token_net", truth.total_net_J_per_output_token!, edges_j(11.6) / 101),
    near("ttft", truth.TTFT_s!, 2 * E_S),
    near("tpot", truth.TPOT_s!, (2 * E_S) / 100),
    near("e2e_latency", truth.E2E_s!, 2 * E_S),
  ];
};

const CHECKS: Readonly<Record<string, (measured: Measured, live: LiveRecording) => Check[]>> = {
  S1: ({ one, all }, live) => {
    const { decode_J, J_per_token } = scenario("S1").expect;
    const decode = one("decode_energy");
    return [
      { name: "decode_energy", found: decode.value, expected: decode_J!, tolerance: 1e-9 + stretched_j(live, 5, [2, 12]) },
      { name: "decode energy and its own U", found: decode.value, expected: decode_J!, tolerance: 2 * decode.uncertainty! },
      // Of a constant power clocks can only change how long it is taken for.
      { name: "decode energy less 5 W x time", found: decode.value! - 5 * (decode.end_s - decode.start_s), expected: 0, tolerance: 1e-9 },
      ...all("token_energy").map((token) => ({
        name: "token_energy",
        found: token.value! - 5 * (token.end_s - token.start_s) + J_per_token!,
        expected: J_per_token!,
        tolerance: 1e-9,
      })),
    ];
  },
  S2: ALIKE_S2,
  S3: ({ one, all }) => {
    const tokens_j = all("token_energy").reduce((sum, { value }) => sum + value!, 0);
    const [prefill, decode, request] = ["prefill_energy", "decode_energy", "request_energy"].map((name) => one(name).value!);
    return [
      ...ALIKE_S2({ one, all } as Measured),
      { name: "tokens less decode", found: tokens_j - decode!, expected: 0, tolerance: 1e-9 },
      { name: "prefill and decode less request", found: prefill! + decode! - request!, expected: 0, tolerance: 1e-9 },
    ];
  },
  S4: ({ one, all }) => {
    const { total_J, J_per_token, mean_W } = scenario("S4").expect;
    return [
      { name: "decode_energy", found: one("decode_energy").value, expected: total_J!, tolerance: edges_j(6.8 + 1.8) },
      { name: "decode_mean_power", found: one("decode_mean_power").value, expected: mean_W!, tolerance: edges_j(6.8 + 1.8) / 20 },
      ...all("token_energy").map(({ value }) => ({
        name: "token_energy",
        found: value,
        expected: J_per_token!,
        tolerance: edges_j(10 + 6.8),
      })),
    ];
  },
  S5: ({ one, all }, live) => [
    {
      name: "decode_energy",
      found: one("decode_energy").value,
      expected: scenario("S5").expect.total_J!,
      // Before its beginning there is nothing, after its end the ramp goes on.
      tolerance: edges_j(4) + stretched_j(live, 6, [0, 100]),
    },
    ...all("token_energy")
      .filter(({ index }) => index! > 0)
      .map(({ value, index }) => ({
        name: "token_energy",
        found: value,
        expected: 0.1 * (4 + 0.02 * (0.1 * index! + 0.05)),
        tolerance: 1e-9 + stretched_j(live, 6, [0.1 * index!, 0.1 * index! + 0.1]) + 0.1 * 0.02 * E_S,
      })),
  ],
  S6: ({ one }, live) => [
    {
      name: "unit_energy",
      found: one("unit_energy").value,
      expected: scenario("S6").expect.E_J!,
      tolerance: 0.156 * DT_S ** 2 + edges_j(2.8 + 4.8) + stretched_j(live, 6, [1, 61]),
    },
  ],
  S7: ({ one }, live) => [
    {
      name: "unit_energy",
      found: one("unit_energy").value,
      expected: scenario("S7").expect.E_J!,
      tolerance: 1e-4 + stretched_j(live, 5, [1, 8.7]),
    },
  ],
  S8: ALIKE_S2,
  S9: (found) => {
    const { one } = found;
    const { decode_J_est, coverage } = scenario("S9").expect;
    return [
      ...ALIKE_S2(found).filter(({ name }) => name.startsWith("prefill")),
      { name: "decode_energy", found: one("decode_energy").value, expected: decode_J_est!, tolerance: 1e-3 + edges_j(7.8) },
      { name: "coverage", found: one("decode_energy").coverage, expected: coverage!, tolerance: 1e-4 },
      ...["GAP", "COVERAGE", "TOKEN_IN_GAP", "INVALID"].map((flag) => ({
        name: `flagged ${flag}`,
        found: Number(one("decode_energy").flags.includes(flag)),
        expected: 1,
        tolerance: 0,
      })),
    ];
  },
  S10: ({ one }) => [
    {
      name: "prefill_energy",
      found: one("prefill_energy").value,
      expected: scenario("S10").expect.prefill_meas_J!,
      tolerance: edges_j(11.8),
    },
  ],
};

/** A stretch that the events' clock makes longer holds more energy, with or without steps at its ends. */
const stretched_j = ({ stretch_s }: LiveRecording, power_w: number, [from_s, to_s]: readonly [number, number]): number =>
  power_w * Math.abs(stretch_s(from_s, to_s));

/** Events lie where the samples say, all the time. */
function alignmentChecks({ misalignment_s }: LiveRecording, end_s: number): Check[] {
  const worst_s = Array.from({ length: 101 }, (_, k) => Math.abs(misalignment_s((k * end_s) / 100))).reduce((a, b) => Math.max(a, b));
  return [{ name: "events against samples", found: worst_s, expected: 0, tolerance: E_S }];
}
