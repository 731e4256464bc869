import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { InferenceEvent } from "../../src/model/event.ts";
import type { Measurement } from "../../src/model/measurement.ts";
import type { Results } from "../../src/model/results.ts";
import type { Patience, Sink } from "../../src/model/sink.ts";
import { LIMITS, type Limits } from "../../src/sinks/courier.ts";
import { sinks } from "../../src/sinks/index.ts";
import { openInflux } from "../../src/sinks/influx.ts";

export const kind = sinks.find((sink) => sink.kind === "influx")!;
/** Short pauses, so that tests are quick; long limits, so that a busy machine does not reach them. */
export const QUICK: Limits = { ...LIMITS, linger_ms: 20, retry_ms: 20, retryMost_ms: 40 };
/** As at the end of a run. */
export const END: Patience = { within_ms: 5000, fruitless_ms: 0 };
/** 2026-01-02T03:04:05.123456789Z */
export const wallStart_ns = 1_767_323_045_123_456_789n;

export const mean = (at_s: number, mean_w = 2.5) => ({
  source: "meter.main",
  start_s: at_s,
  end_s: at_s + 0.1,
  mean_w,
  min_w: 2,
  max_w: 3,
});
export const event: InferenceEvent = { type: "token", source: "phone", epoch: 0, tick: 0, request: "r1", tokens: 1 };
export const result: Measurement = {
  name: "decode_energy_per_token",
  value: 0.25,
  unit: "J/token",
  uncertainty: 0.001,
  coverage: 1,
  source: "meter.main",
  phase: "decode",
  request: "r1",
  tokens: 100,
  start_s: 3.2,
  end_s: 13.2,
  flags: ["SHORT"],
};

/** Results that hold these measurements and one rule that failed. */
export const resultsOf = (measurements: readonly Measurement[], more: Partial<Results> = {}): Results => ({
  format: 1,
  session: "s-1",
  measurand: "meter.main",
  baseline: { name: "idle", power_w: 0.5, uncertainty_w: 0.01 },
  measurements,
  summary: { decode_energy_per_token: { value: 0.25, unit: "J/token", expanded_uncertainty: 0.004, k: 2, n: 5 } },
  budget: {},
  percentiles: {},
  references: [],
  clocks: {},
  outcomes: [],
  throttling: { episodes: [] },
  faults: [{ source: "meter", code: "lost_samples", count: 7, at_s: 2 }],
  validity: [{ rule: "requests", level: "FAIL", pass: false, detail: "1 of 5" }],
  ...more,
});

export interface Opened {
  readonly sink: Sink;
  readonly faults: { code: string; count: number; detail: string }[];
  readonly notices: string[];
  readonly outbox: string;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "joulebench-outbox-"));
  folders.push(made);
  return made;
}

export function open(rig: Record<string, unknown>, limits = QUICK, outbox = join(folder(), "influx")): Opened {
  const faults: Opened["faults"] = [];
  const notices: string[] = [];
  const sink = openInflux(
    kind.options.parse(rig) as Parameters<typeof openInflux>[0],
    {
      rig: "bench 1",
      host: "lab-1",
      session: "s-1",
      wallStart_ns,
      work: {},
      outbox,
      fault: (code, count, detail = "") => faults.push({ code, count, detail }),
      notice: (message) => notices.push(message),
    },
    limits,
  );
  return { sink, faults, notices, outbox };
}

export const counted = (faults: Opened["faults"]): number => faults.reduce((sum, { count }) => sum + count, 0);
