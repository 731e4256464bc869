import { generic } from "../../src/importers/generic.ts";
import { type Block, endTick } from "../../src/model/block.ts";
import type { SessionSeconds, TimeMap } from "../../src/model/clock.ts";
import type { PowerRecording } from "../../src/model/recording.ts";
import { idealBlocks } from "../../src/simulate/ideal.ts";
import { type Plant, shifted } from "../../src/simulate/plant.ts";
import type { Shape } from "../../src/simulate/shape.ts";
import { fromSteps, type Stretch, squareSteps, throughPole, waveform } from "../../src/simulate/waveforms.ts";
import { render, scenario } from "../scenarios/render.ts";
import type { Segment } from "../scenarios/waveform.ts";

/** A phone under an ideal instrument in virtual time. */
export interface IdealBench {
  readonly plant: Plant;
  readonly end_s: number;
  /** Its events, idle intervals and the clock of both. */
  readonly told: Pick<PowerRecording, "measurand" | "maps" | "events" | "idle">;
  /** Samples that never arrived. */
  readonly gap?: readonly [number, number];
}

/** A part of a waveform as scenarios.json writes it, S7's included. */
type AnySegment =
  | Segment
  | { readonly t0: number; readonly t1: number; readonly kind: "sine"; readonly W: number; readonly A: number; readonly f_Hz: number };

function shapeOf(segment: AnySegment): Shape {
  switch (segment.kind) {
    case "const":
      return { kind: "const", power_w: segment.W };
    case "ramp":
      return { kind: "ramp", start_w: segment.W0, slope_w_s: segment.W_per_s };
    case "exp":
      return { kind: "exp", final_w: segment.Winf, step_w: segment.dW, tau_s: segment.tau };
    case "sine":
      return { kind: "sine", mean_w: segment.W, amplitude_w: segment.A, frequency_hz: segment.f_Hz };
  }
}

/** The power of a scenario; after its end it goes on as it was, so that an instant there is like the one before. */
const stretches = (id: string): Stretch[] =>
  (scenario(id).power as readonly AnySegment[]).map((each, k, all) => ({
    from_s: each.t0,
    to_s: k === all.length - 1 ? Number.POSITIVE_INFINITY : each.t1,
    shape: shapeOf(each),
  }));

const constants = (id: string) =>
  scenario(id).power.flatMap((each) => (each.kind === "const" ? [{ from_s: each.t0, to_s: each.t1, power_w: each.W }] : []));

/** Scenarios whose power is not simply listed. */
const PLANTS: Readonly<Record<string, () => Plant>> = {
  S3: () => shifted(waveform(stretches("S2")), scenario("S3").shift_s),
  S4: () => {
    const { t0, n, hi_W, hi_s, lo_W, lo_s, idle_W } = scenario("S4").pattern;
    return waveform(fromSteps(squareSteps({ from_s: t0, count: n, high_w: hi_W, high_s: hi_s, low_w: lo_W, low_s: lo_s })), {
      rest_w: idle_W,
    });
  },
  S9: () => waveform(stretches("S2")),
  S10: () => waveform(throughPole(constants("S2"), 1e-3, 1.2), { rest_w: 1.2 }),
};

/** Scenarios without requests: their windows. A day is too long to be rendered for the sake of two events. */
const WINDOWS: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>> = {
  S7: { ripple: scenario("S7").window },
  S11: { day: [0, 86_400], "last 80 ms": [86_399.92, 86_400] },
};

/** The windows of an otherwise empty import. */
function windowsOnly(windows: Readonly<Record<string, readonly [number, number]>>): PowerRecording {
  const file = (name: string, text: string) => ({ name, bytes: new TextEncoder().encode(text) });
  const lines = Object.entries(windows).flatMap(([request, edges]) =>
    ["unit_start", "unit_end"].map((type, k) => JSON.stringify({ type, request, unit: "window", time_s: edges[k] })),
  );
  return generic.decode([file("power.csv", "time_s,power_w\n1,0\n2,0\n"), file("events.jsonl", lines.join("\n"))]);
}

/** A scenario of scenarios.json; what the phone tells comes the way of an import. */
export function idealBench(id: string): IdealBench {
  const plant = (PLANTS[id] ?? (() => waveform(stretches(id))))();
  const windows = WINDOWS[id];
  if (windows) return { plant, end_s: scenario(id).power.at(-1)!.t1, told: windowsOnly(windows) };
  const told = generic.decode(render(id, 10));
  const last = [...told.blocks()].at(-1)!;
  return { plant, end_s: endTick(last), told, ...(id === "S9" ? { gap: scenario(id).gap } : {}) };
}

/** What a bench with an ideal instrument at `rate_hz` records: the instrument's ticks count its samples. */
export function idealRecording({ plant, end_s, told, gap }: IdealBench, rate_hz: number, sampler: "integrating" | "point"): PowerRecording {
  const { source, channel } = told.measurand;
  const take = (from_s: number, to_s: number) =>
    idealBlocks(plant, { source, channel, rate_hz, sampler, blockLength: rate_hz / 20 }, from_s, to_s);
  function* blocks(): Generator<Block> {
    yield* take(0, gap?.[0] ?? end_s);
    if (!gap) return;
    let lostBefore = Math.round((gap[1] - gap[0]) * rate_hz);
    for (const block of take(gap[1], end_s)) {
      yield { ...block, lostBefore };
      lostBefore = 0;
    }
  }
  const start = { fromTick: 0, t0_s: 0 as SessionSeconds, rate_hz, u_s: 0, bound_s: 0 };
  const clock: TimeMap = { source, epoch: 0, pieces: [start] };
  return {
    measurand: { source, channel, accuracy: told.measurand.accuracy, longestStep: 1.5 },
    maps: [clock, ...told.maps.filter((each) => each.source !== source)],
    events: told.events,
    readings: [],
    idle: told.idle,
    faults: [],
    references: [],
    clocks: {},
    blocks,
  };
}
