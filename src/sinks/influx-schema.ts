/** Unit of a field; `text` and `true or false` are what they say, `1` is a number or a share without a unit. */
type Unit = string;

interface Table {
  /** Which of the rig's retentions keeps it; `raw` is what there is much of. */
  readonly kept: "raw" | "results";
  readonly tags: readonly string[];
  readonly fields: Readonly<Record<string, Unit>>;
}

/** A value and its standard uncertainty (k = 1). */
const withU = (fields: Readonly<Record<string, Unit>>): Record<string, Unit> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, unit]) => [
      [name, unit],
      [`u_${name}`, unit],
    ]),
  );

/** An energy, gross and net of the idle baseline. */
const energies = (names: readonly string[], unit = "J"): Record<string, Unit> =>
  Object.fromEntries(names.flatMap((name) => [`${name}_j`, `${name}_net_j`].map((field) => [field, unit])));

const PER_TOKEN = "J/token";
const PHASES = ["load", "prefill", "decode", "tail", "request"];

/** Of one window: names without that of the phase, which is a tag. */
const WINDOW_VALUES = withU({
  ...energies(["energy", "energy_per_unit", "energy_per_correct_answer"]),
  ...energies(["energy_per_token", "energy_per_prompt_token", "energy_per_output_token"], PER_TOKEN),
  ...{ power_w: "W", mean_power_w: "W", peak_power_w: "W", energy_delay_product_j_s: "J s" },
  ...{ charge_c: "C", mean_voltage_v: "V" },
  ...{ ttft_s: "s", tpot_s: "s", e2e_latency_s: "s", time_per_unit_s: "s", rate_token_per_s: "token/s" },
});

/** Of a whole session. */
const SUMMARY_VALUES = withU({
  ...energies([...PHASES.map((phase) => `${phase}_energy`), "unit_energy", "energy_per_unit", "energy_per_correct_answer"]),
  ...energies(["prefill_energy_per_prompt_token", "decode_energy_per_token", "request_energy_per_output_token"], PER_TOKEN),
  ...energies(["marginal_energy_per_output_token"], PER_TOKEN),
  ...{
    idle_power_w: "W",
    idle_power_cold_w: "W",
    idle_power_hot_w: "W",
    energy_delay_product_j_s: "J s",
    requests_per_charge: "1",
    accuracy: "1",
  },
  ...Object.fromEntries(["", "load_", "prefill_", "decode_", "unit_", "tail_"].flatMap((phase) => sessionFields(phase))),
  ...{ ttft_s: "s", tpot_s: "s", e2e_latency_s: "s", time_per_unit_s: "s" },
  ...{ prefill_rate_token_per_s: "token/s", decode_rate_token_per_s: "token/s" },
});

function sessionFields(phase: string): [string, Unit][] {
  return [
    [`${phase}mean_power_w`, "W"],
    [`${phase}peak_power_w`, "W"],
    [`${phase}charge_c`, "C"],
    [`${phase}mean_voltage_v`, "V"],
  ];
}

/** The bench, and the host that measures with it. */
const WHERE = ["rig", "host"];
const METER = ["source", "channel"];
const WORK = ["engine", "model", "quant"];

/**
 * Every measurement in InfluxDB, with its tags and the fields a point of it may have: what dashboards stand on.
 *
 * Tags are what one groups by and have few values. Session and request are fields: a tag with a new value per run is
 * a new series per run for ever. Every point has all tags of its measurement, `none` where there is nothing to say,
 * because InfluxDB 3 fixes the tags of a table with its first point. docs/influx.md is tested against this.
 */
export const SCHEMA = {
  power: {
    kept: "raw",
    tags: [...WHERE, ...METER],
    fields: {
      ...{ session: "text", power_w: "W", power_min_w: "W", power_max_w: "W" },
      ...{ current_a: "A", voltage_v: "V", duration_s: "s" },
    },
  },
  event: {
    kept: "raw",
    tags: [...WHERE, "source", "type"],
    fields: {
      ...{ session: "text", request: "text", tokens: "token", output_tokens: "token", cached_tokens: "token", outcome: "text" },
      ...{ unit: "text", count: "1", model: "text", workload_phase: "text", correct: "1" },
    },
  },
  telemetry: {
    kept: "raw",
    tags: [...WHERE, ...METER],
    fields: {
      ...{ session: "text", temperature_degc: "°C", cooling_state: "1" },
      ...{ frequency_hz: "Hz", frequency_max_hz: "Hz", frequency_limit_hz: "Hz" },
    },
  },
  inference: {
    kept: "results",
    tags: [...WHERE, ...METER, ...WORK, "phase", "stage"],
    fields: {
      ...{ session: "text", request: "text", index: "1", tokens: "token", duration_s: "s", coverage: "1", flags: "text" },
      ...{ valid: "true or false" },
      ...WINDOW_VALUES,
    },
  },
  summary: {
    kept: "results",
    tags: [...WHERE, ...METER, ...WORK, "stage"],
    fields: {
      ...{ session: "text", valid: "true or false", failed: "text", requests: "1", faults: "1", duration_s: "s" },
      ...withU({ baseline_power_w: "W" }),
      ...SUMMARY_VALUES,
    },
  },
  validity: {
    kept: "results",
    tags: [...WHERE, "rule", "level"],
    fields: { session: "text", pass: "true or false", detail: "text" },
  },
  fault: {
    kept: "results",
    tags: [...WHERE, "source", "code"],
    fields: { session: "text", count: "1", detail: "text" },
  },
  throttling: {
    kept: "results",
    tags: [...WHERE, "cause", "class"],
    fields: { session: "text", duration_s: "s", onset_performance_s: "s", severity: "1", evidence: "text" },
  },
  annotation: {
    kept: "results",
    tags: [...WHERE, "type"],
    fields: { session: "text", title: "text", text: "text", end_ms: "ms since 1970" },
  },
  health: {
    kept: "raw",
    tags: WHERE,
    fields: {
      ...{ session: "text", state: "text", state_duration_s: "s", plan: "text", cell: "1", cells: "1", queued: "1", restarts: "1" },
      ...{ valid: "true or false", reason: "text", error: "text", energy_per_token_j: PER_TOKEN, lost_s: "s" },
      ...{ database_lag_s: "s", outbox_bytes: "byte", clock_offset_s: "s", clock_bound_s: "s" },
    },
  },
} as const satisfies Readonly<Record<string, Table>>;

export type TableName = keyof typeof SCHEMA;

/** The one of a rig's own tags that dashboards know: which device the rig measures. A rig need not have it. */
export const DEVICE_TAG = "device";

/** Where a line is kept, by its measurement. */
export const keptOf = (line: string): "raw" | "results" =>
  SCHEMA[line.slice(0, Math.max(0, line.search(/[, ]/))) as TableName]?.kept ?? "results";

/** Names that a rig's own tags may not take: InfluxDB 3 allows no tag and field of one name. */
export const RESERVED: ReadonlySet<string> = new Set([
  "time",
  ...Object.values(SCHEMA).flatMap(({ tags, fields }: Table) => [...tags, ...Object.keys(fields)]),
]);

/**
 * The field that holds a quantity: its name without that of the phase, and the unit's suffix; the divisor of a
 * quotient is in the name already. `decode_energy_per_token`, J/token, of a decode: `energy_per_token_j`.
 */
export function fieldOf(name: string, unit: string, phase = ""): string {
  const whole = name.replace(/:.*$/s, "");
  const bare = phase !== "" && whole.startsWith(`${phase}_`) ? whole.slice(phase.length + 1) : whole;
  return bare + suffix(bare.includes("_per_") ? unit.split("/")[0]! : unit);
}

/** A unit as the end of a field's name; of a plain number it is nothing. */
function suffix(unit: string): string {
  if (unit === "" || unit === "1") return "";
  return `_${unit
    .toLowerCase()
    .replaceAll("/", "_per_")
    .replaceAll("°", "deg")
    .replace(/[^a-z0-9]+/g, "_")}`;
}
