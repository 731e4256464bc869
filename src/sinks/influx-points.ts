import { FAULTS, type Fault } from "../model/errors.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { RigHealth } from "../model/health.ts";
import type { Reading } from "../model/reading.ts";
import type { Results } from "../model/results.ts";
import type { PowerMean } from "../model/sink.ts";
import { channelOf, Lines, type Origin } from "./influx-lines.ts";
import { resultLines } from "./influx-results.ts";
import { SCHEMA } from "./influx-schema.ts";

/** What a reading can be of. */
const READ: ReadonlySet<string> = new Set(Object.keys(SCHEMA.telemetry.fields).filter((field) => field !== "session"));

/**
 * Puts what a session tells into InfluxDB's terms: lines of line protocol, as {@link SCHEMA} says.
 *
 * Every point is stamped with the start of what it stands for, as InfluxDB's own `GROUP BY time()` does. What has no
 * finite time or no finite value is `undefined`.
 */
export class Points {
  readonly #origin: Origin;
  readonly #lines: Lines;

  constructor(origin: Origin) {
    this.#origin = origin;
    this.#lines = new Lines(origin);
  }

  power({ source, start_s, end_s, mean_w, min_w, max_w, current_a, voltage_v }: PowerMean): string | undefined {
    if (!Number.isFinite(mean_w)) return undefined;
    const fields = { power_w: mean_w, power_min_w: min_w, power_max_w: max_w, current_a, voltage_v, duration_s: width_s(start_s, end_s) };
    return this.#lines.line("power", start_s, channelOf(source), fields);
  }

  event(event: InferenceEvent, at_s: number): string | undefined {
    const { type, source, request, tokens, outputTokens, cachedTokens, outcome, unit, count, model, phase, correct } = event;
    const about = { request, tokens, output_tokens: outputTokens, cached_tokens: cachedTokens, outcome };
    return this.#lines.line("event", at_s, { source, type }, { ...about, unit, count, model, workload_phase: phase, correct });
  }

  /** A reading's channel is `<field>:<zone, unit or device>`. Nothing, where the schema has no such field or the value is a text. */
  reading({ source, channel, value }: Reading, at_s: number): (string | undefined)[] {
    const [field = "", ...rest] = channel.split(":");
    if (!READ.has(field) || typeof value !== "number") return [];
    return [this.#lines.line("telemetry", at_s, { source, channel: rest.join(":") }, { [field]: value })];
  }

  /** The fault, and what a chart shows of it. */
  fault({ source, code, count, at_s, detail }: Fault): (string | undefined)[] {
    const title = `${source}: ${code}`;
    const text = `${count} ${FAULTS[code]}${detail === undefined ? "" : `; ${detail}`}`;
    return [
      this.#lines.line("fault", at_s, { source, code }, { count, detail }),
      this.#lines.line("annotation", at_s, { type: "fault" }, { title, text }),
    ];
  }

  /** How a bench is. It belongs to no session, so its origin begins in 1970 and its time is the wall's. */
  health({ rig: _rig, host: _host, out: _out, at_s, since_s, clock, ...health }: RigHealth): string | undefined {
    const offset = clock && { clock_offset_s: clock.offset_s, clock_bound_s: clock.bound_s };
    return this.#lines.line("health", at_s, {}, { state_duration_s: width_s(since_s, at_s), ...health, ...offset });
  }

  /** Everything the final results say. Said again, it replaces what was said before: each result has the stamp of its start. */
  results(results: Results): (string | undefined)[] {
    return resultLines(results, this.#origin);
  }
}

/** Without the last bits of a difference of two times, which differ from point to point. */
const width_s = (start_s: number, end_s: number): number => Math.round((end_s - start_s) * 1e9) / 1e9;
