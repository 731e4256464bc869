import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ImportedFile } from "../../src/model/recording.ts";
import { mean, onePole, type Segment, shift, type Waveform } from "./waveform.ts";

/** scenarios.json as far as the scenarios rendered here use it. */
interface Scenario {
  readonly id: string;
  readonly power: readonly Segment[];
  readonly shift_s: number;
  readonly pattern: { hi_W: number; hi_s: number; lo_W: number; lo_s: number; itl: number; n: number; t0: number; idle_W: number };
  readonly prefill: readonly [number, number];
  readonly tokens: { readonly t0: number; readonly first_token_t: number; itl: number; n_intervals: number; n_out: number; n: number };
  readonly prompt_tokens: number;
  readonly idle_windows: readonly (readonly [number, number])[];
  readonly window: readonly [number, number];
  readonly gap: readonly [number, number];
  readonly expect: Readonly<Record<string, number>>;
  /** Of S2: largest error of a phase by rate, `5000Hz`. */
  readonly tol: Readonly<Record<"prefill_J_at" | "decode_J_at", Readonly<Record<string, number>>>>;
}

const ALL = JSON.parse(readFileSync(join(import.meta.dirname, "scenarios.json"), "utf8")) as readonly Scenario[];
export const scenario = (id: string): Scenario => ALL.find((each) => each.id.startsWith(`${id}-`))!;

/** A scenario as somebody could have recorded it. */
interface Bench {
  readonly waveform: Waveform;
  readonly events: readonly object[];
  readonly idle?: readonly (readonly [number, number])[];
  readonly gap?: readonly [number, number];
}

const S2 = scenario("S2");
const BENCHES: Readonly<Record<string, () => Bench>> = {
  S1: () => ({ waveform: scenario("S1").power, events: request(scenario("S1").tokens.t0, 0.1, scenario("S1").tokens.n_intervals) }),
  S2: () => phases(0),
  S3: () => phases(scenario("S3").shift_s),
  S4: () => square(scenario("S4").pattern),
  S5: () => ({ waveform: scenario("S5").power, events: request(0, 0.1, scenario("S5").tokens.n) }),
  S6: () => ({ waveform: scenario("S6").power, events: unit("warm-up", scenario("S6").window) }),
  S9: () => ({ ...phases(0), gap: scenario("S9").gap }),
  S10: () => ({ ...phases(0), waveform: onePole(S2.power, 1e-3) }),
  S11: () => ({ waveform: scenario("S11").power, events: [...unit("day", [0, 86_400]), ...unit("last 80 ms", [86_399.92, 86_400])] }),
};

/**
 * A scenario as the folder of a generic import: samples of an ideal integrating meter, each the exact mean over its
 * interval, printed to the last bit.
 */
export function render(id: string, rate_hz: number): readonly ImportedFile[] {
  const bench = BENCHES[id]!();
  const file = (name: string, text: string) => ({ name, bytes: new TextEncoder().encode(text) });
  return [
    file("power.csv", `time_s,power_w\n${samples(bench, rate_hz).join("\n")}\n`),
    file("events.jsonl", bench.events.map((event) => `${JSON.stringify(event)}\n`).join("")),
    file("rig.json", JSON.stringify({ sampler: "integrating", rate_hz, idle: bench.idle ?? [] })),
  ];
}

function samples({ waveform, gap }: Bench, rate_hz: number): readonly string[] {
  const rows: string[] = [];
  const last = Math.floor(waveform.at(-1)!.t1 * rate_hz);
  const [from, to] = (gap ?? [0, 0]).map((at_s) => Math.round(at_s * rate_hz)) as [number, number];
  for (let k = 1; k <= last; k++) {
    if (k > from && k <= to) continue;
    rows.push(`${k / rate_hz},${mean(waveform, Math.max((k - 1) / rate_hz, waveform[0]!.t0), k / rate_hz)}`);
  }
  return rows;
}

/** The phone of S2, everything later by `late_s`. */
function phases(late_s: number): Bench {
  const [start_s, first_s] = S2.prefill;
  const { itl, n_out } = S2.tokens;
  return {
    waveform: shift(S2.power, late_s),
    events: request(first_s, itl, n_out - 1, { start_s, prompt: S2.prompt_tokens, late_s }),
    idle: S2.idle_windows.map(([from, to]) => [from + late_s, to + late_s]),
  };
}

function square({ hi_W, hi_s, lo_W, itl, n, t0, idle_W }: Scenario["pattern"]): Bench {
  const end_s = tidy(t0 + n * itl);
  const tokens = Array.from({ length: n }, (_, k) => tidy(t0 + k * itl)).flatMap((at_s): Segment[] => [
    { t0: at_s, t1: tidy(at_s + hi_s), kind: "const", W: hi_W },
    { t0: tidy(at_s + hi_s), t1: tidy(at_s + itl), kind: "const", W: lo_W },
  ]);
  const idle = (from: number, to: number): Segment => ({ t0: from, t1: to, kind: "const", W: idle_W });
  return { waveform: [idle(0, t0), ...tokens, idle(end_s, end_s + 1)], events: request(t0, itl, n) };
}

/** A request whose first token comes at `first_s` and whose `intervals` further ones follow `itl` seconds apart. */
function request(first_s: number, itl: number, intervals: number, { start_s = first_s, prompt = 0, late_s = 0 } = {}): readonly object[] {
  const at = (t: number) => ({ request: "r1", time_s: tidy(t) + late_s });
  const token = (_: unknown, k: number) => ({ type: "token", ...at(first_s + (k + 1) * itl), tokens: 1 });
  return [
    { type: "request_start", ...at(start_s) },
    { type: "first_token", ...at(first_s), tokens: prompt },
    ...Array.from({ length: intervals }, token),
    { type: "request_end", ...at(first_s + intervals * itl) },
  ];
}

const unit = (name: string, [from, to]: readonly [number, number]): readonly object[] => [
  { type: "unit_start", request: name, unit: "window", time_s: from },
  { type: "unit_end", request: name, unit: "window", time_s: to, count: 1 },
];

/** As a program prints a time: 3.2 + 28 * 0.1 is 6, not 6.000000000000001. */
const tidy = (time_s: number): number => Math.round(time_s * 1e9) / 1e9;
