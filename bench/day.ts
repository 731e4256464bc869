import type { Block } from "../src/model/block.ts";
import { identityMap, type SessionSeconds, type TimeMap } from "../src/model/clock.ts";
import type { InferenceEvent } from "../src/model/event.ts";
import { evaluate } from "../src/session/analysis.ts";
import { idealBlocks } from "../src/simulate/ideal.ts";
import type { Plant } from "../src/simulate/plant.ts";
import { waveform } from "../src/simulate/waveforms.ts";
import { check, cpu_s } from "./cpu.ts";
import { report } from "./row.ts";
import { squareWave } from "./square-wave.ts";

const DAY_S = 86_400;
const RATE_HZ = 5000;
const BLOCK_S = 0.05;
const REQUESTS = 100;
const TOKENS = 1000;
const PREFILL_S = 2;
const ITL_S = 0.8;
/** The samples are summed and analysed in turn, this much at a time, so that a slow spell of the machine hits both. */
const TURN_S = 600;
const LARGEST_MIB = 286; // 300 MB;
const EXACT = { gain: 0, currentOffset_a: 0, voltageOffset_v: 0, currentResolution_a: 0, voltageResolution_v: 0, sampling_s: 0 };
const PLANTS: Readonly<Record<string, () => Plant>> = {
  constant: () => waveform([{ from_s: 0, to_s: Number.POSITIVE_INFINITY, shape: { kind: "const", power_w: 5.1 } }]),
  square: () => squareWave({ high_w: 8, high_s: 0.03, low_w: 3, low_s: 0.05 }),
};

/** Requests that fill the day, so many tokens in each. */
function eventsOf(requests: number, tokens: number): InferenceEvent[] {
  const list: InferenceEvent[] = [];
  const put = (type: InferenceEvent["type"], n: number, tick: number, tokens: number): void => {
    list.push({ type, source: "phone", epoch: 0, tick, request: `r${n}`, tokens });
  };
  for (let n = 0; n < requests; n++) {
    const start_s = (n * DAY_S) / requests;
    const first_s = start_s + PREFILL_S;
    put("request_start", n, start_s, 0);
    put("first_token", n, first_s, 200);
    for (let k = 1; k <= tokens; k++) put("token", n, first_s + k * ITL_S, 1);
    put("request_end", n, first_s + tokens * ITL_S, 0);
  }
  return list;
}

/** What anybody who wants an energy has to do at least. */
function plainSum(blocks: Iterable<Block>): number {
  let sum_w = 0;
  for (const { columns, length } of blocks) {
    const power_w = columns["main.power_w"]!;
    for (let k = 0; k < length; k++) sum_w += power_w[k]!;
  }
  return sum_w;
}

interface Day {
  readonly measurements: ReturnType<typeof evaluate>["measurements"];
  /** CPU time of the plain sum, and of the whole analysis beyond one plain sum, seconds. */
  readonly plain_s: number;
  readonly beside_s: number;
}

/** Analyses a day of a plant; samples are made while they are asked for. */
function analyseDay(plant: Plant, events: readonly InferenceEvent[]): Day {
  const options = { source: "meter", rate_hz: RATE_HZ, sampler: "integrating", blockLength: BLOCK_S * RATE_HZ } as const;
  let plain_s = 0;
  let plain_j = 0;
  function* blocks(): Generator<Block> {
    for (let from_s = 0; from_s < DAY_S; from_s += TURN_S) {
      yield* idealBlocks(plant, options, from_s, from_s + TURN_S);
      const before_s = cpu_s();
      plain_j += plainSum(idealBlocks(plant, options, from_s, from_s + TURN_S)) / RATE_HZ;
      plain_s += cpu_s() - before_s;
    }
  }
  const piece = { fromTick: 0, t0_s: 0 as SessionSeconds, rate_hz: RATE_HZ, u_s: 0, bound_s: 0 };
  const clock: TimeMap = { source: "meter", epoch: 0, pieces: [piece] };
  const before_s = cpu_s();
  const { measurements } = evaluate("day", {
    measurand: { source: "meter", channel: "main", accuracy: EXACT },
    maps: [clock, identityMap("phone", 0)],
    events,
    readings: [],
    idle: [],
    faults: [],
    references: [],
    clocks: {},
    blocks,
  });
  const both_s = cpu_s() - before_s;
  check(Math.abs(plain_j / plant.energy_j(0, DAY_S) - 1) < 1e-6, `the samples were summed up ${plain_j / plant.energy_j(0, DAY_S)} times`);
  return { measurements, plain_s, beside_s: both_s - 2 * plain_s };
}

function checkTokens(measurements: ReturnType<typeof evaluate>["measurements"], plant: Plant): void {
  const tokens = measurements.filter((each) => each.name === "token_energy");
  check(tokens.length === REQUESTS * TOKENS, `${tokens.length} tokens`);
  const worst_j = tokens.reduce(
    (worst, { value, start_s, end_s }) => Math.max(worst, Math.abs(value! - plant.energy_j(start_s, end_s))),
    0,
  );
  // Where an edge of the wave falls inside a sample, its energy is spread over that sample: 5 W for half of 0.2 ms.
  check(worst_j < 5e-4, `a token is ${worst_j} J off`);
}

function measure(name: string): void {
  const plant = PLANTS[name]!();
  const sweep = analyseDay(plant, eventsOf(1, 1));
  const full = analyseDay(plant, eventsOf(REQUESTS, TOKENS));
  checkTokens(full.measurements, plant);
  const what = (part: string): string => `24 h at 5 kHz, ${name}: ${part}`;
  const unit = "CPU s";
  const plain = "plain sum of the same blocks";
  report({ what: what("sweep for one window"), ours: sweep.plain_s + sweep.beside_s, unit, against: plain, theirs: sweep.plain_s });
  report({
    what: what("10^5 windows, beside the sweep for one"),
    ours: full.beside_s - sweep.beside_s,
    unit,
    against: plain,
    theirs: full.plain_s,
    target: { below: 1 },
  });
  const peak_mib = process.resourceUsage().maxRSS / 1024;
  report({ what: what("peak memory"), ours: peak_mib, unit: "MiB", against: "limit", theirs: LARGEST_MIB, target: { below: LARGEST_MIB } });
}

measure(process.argv[2] ?? "constant");
