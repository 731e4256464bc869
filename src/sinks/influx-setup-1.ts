import { JoulebenchError } from "../model/errors.ts";
import type { SetupStep } from "../model/sink.ts";
import { InfluxAdmin } from "./influx-admin.ts";
import { type InfluxOptions, type Retention, subjectOf } from "./influx-options.ts";

/** Administration may take the server longer than a write. */
const LIMIT_MS = 30_000;
const CONTINUOUS_QUERY = "joulebench_power_1s";

/** InfluxDB 1.x: database, retention policies, and the continuous query that keeps seconds of power. */
export function setup1(options: InfluxOptions, secret: string | undefined): readonly SetupStep[] {
  const { database, retention } = options;
  const admin = new InfluxAdmin(options, secret, LIMIT_MS);
  const step = (text: string, otherwise?: readonly string[]): SetupStep => ({
    text,
    run: () => change(admin, subjectOf(options), [text, ...(otherwise ?? [])]),
  });
  const name = quoted(database);
  const made = step(`CREATE DATABASE ${name}`);
  if (!retention) return [made];
  const query = `CREATE CONTINUOUS QUERY ${CONTINUOUS_QUERY} ON ${name} ${secondsQuery(database)}`;
  return [
    made,
    step(`ALTER RETENTION POLICY autogen ON ${name} ${durationOf(retention, "results")} DEFAULT`),
    ...(["raw", "second"] as const).map((policy) => {
      const rest = `RETENTION POLICY ${policy} ON ${name} ${durationOf(retention, policy)}`;
      return step(`CREATE ${rest} REPLICATION 1`, [`ALTER ${rest}`]);
    }),
    step(query, [`DROP CONTINUOUS QUERY ${CONTINUOUS_QUERY} ON ${name}`, query]),
  ];
}

const durationOf = (retention: Retention, policy: keyof Retention): string =>
  `DURATION ${retention[policy] === "inf" ? "INF" : retention[policy]}`;

/**
 * Every hour over the last day, because points that waited out a night without the database come late: a query over
 * the last interval alone would leave them out for ever.
 */
function secondsQuery(database: string): string {
  const from = (policy: string): string => `${quoted(database)}.${policy}.power`;
  const means = ["power_w", "current_a", "voltage_v"].map((field) => `mean(${field}) AS ${field}`);
  const rest = [
    "min(power_min_w) AS power_min_w",
    "max(power_max_w) AS power_max_w",
    "sum(duration_s) AS duration_s",
    "last(session) AS session",
  ];
  const select = `SELECT ${[...means, ...rest].join(", ")} INTO ${from("second")} FROM ${from("raw")} GROUP BY time(1s), *`;
  return `RESAMPLE EVERY 1h FOR 1d BEGIN ${select} END`;
}

/** The first statement; where something else of that name is there already, the others. */
async function change(admin: InfluxAdmin, subject: string, [first = "", ...others]: readonly string[]): Promise<void> {
  let failure = await admin.change(first);
  if (failure !== undefined && /already exists/.test(failure)) {
    failure = others.length > 0 ? undefined : failure;
    for (const statement of others) failure ??= await admin.change(statement);
  }
  if (failure !== undefined) throw new JoulebenchError("sink", subject, `${failure}, at: ${first}`);
}

const quoted = (name: string): string => `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
