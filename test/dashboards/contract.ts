import type { InfluxDB } from "influx";
import { DEVICE_TAG, SCHEMA } from "../../src/sinks/influx-schema.ts";
import { type Chart, chartsOf, Dashboard } from "./dashboards.ts";
import { type Chosen, interpolated, parseSelect, type Range } from "./influxql.ts";
import { unitComplaints } from "./units.ts";

/** A query of a dashboard; `panel` is absent for an annotation, which has no units. */
export interface Question {
  readonly where: string;
  readonly query: string;
  readonly panel: Chart | undefined;
}

export interface Circumstances {
  readonly client: InfluxDB;
  readonly database: string;
  readonly range: Range;
  /** Runs that can be chosen; where a dashboard shows one at a time, each is. */
  readonly runs: readonly string[];
  readonly chosen: Chosen;
}

/** Every query of every panel and of every annotation. */
export function questions(file: unknown): Question[] {
  const dashboard = Dashboard.parse(file);
  const title = dashboard.title.replace("joulebench: ", "");
  return [
    ...chartsOf(dashboard).flatMap((panel) =>
      panel.targets.map(({ query, refId }) => ({ where: `${title}: ${panel.title} ${refId}`, query, panel })),
    ),
    ...dashboard.annotations.list.map(({ name, target }) => ({ where: `${title}: mark ${name}`, query: target.query, panel: undefined })),
  ];
}

const VALUES: Readonly<Record<string, readonly string[]>> = {
  ...{ rig: ["virtual", "bench"], device: ["phone"], run: ["virtual-0a0a0a0a", "bench-0b0b0b0b"], kept: ["autogen"] },
};

/** Every query of a variable, and what it must find. */
export function variables(file: unknown) {
  const { title, templating } = Dashboard.parse(file);
  return templating.list.map(({ name, query }) => ({
    where: `${title}: $${name}`,
    query: (range: Range) => interpolated(query, ALL, range),
    values: VALUES[name]!,
  }));
}

const ALL: Chosen = { rig: "All", device: "All", run: "All", kept: ["autogen"] };

interface Series {
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}
interface Answer {
  readonly results: readonly { readonly error?: string; readonly series?: readonly Series[] }[];
}

/** What is wrong with a query: unknown names, an error, no series, a column without a value, a number without its unit. */
export async function complaintsOf(question: Question, circumstances: Circumstances): Promise<string[]> {
  const { panel, query } = question;
  const select = parseSelect(query);
  return [
    ...(await nameComplaints(select, circumstances)),
    ...(panel ? unitComplaints(panel, select.columns, select.measurement) : []),
    ...(await answerComplaints(query, circumstances)),
  ];
}

async function nameComplaints(
  { measurement, names }: ReturnType<typeof parseSelect>,
  { client, database }: Circumstances,
): Promise<string[]> {
  if (!Object.hasOwn(SCHEMA, measurement)) return [`${measurement} is no measurement`];
  const { tags, fields } = SCHEMA[measurement as keyof typeof SCHEMA];
  const known = new Set<string>([...tags, DEVICE_TAG, ...Object.keys(fields)]);
  const keys = await client.query<{ fieldKey: string }>(`SHOW FIELD KEYS FROM "${measurement}"`, { database });
  const written = new Set<string>([...tags, DEVICE_TAG, ...keys.map(({ fieldKey }) => fieldKey)]);
  return names.flatMap((name) => {
    if (!known.has(name)) return [`${name} is no field or tag of ${measurement}`];
    return written.has(name) ? [] : [`${name} was never written to ${measurement}`];
  });
}

async function answerComplaints(query: string, { client, database, range, runs, chosen }: Circumstances): Promise<string[]> {
  const series: Series[] = [];
  for (const run of [...runs.map((each) => [each]), "All" as const]) {
    const sent = interpolated(query, { ...ALL, run, ...chosen }, range);
    const answer = await answerOf(client, sent, database);
    for (const result of answer.results) {
      if (result.error !== undefined) return [result.error];
      series.push(...(result.series ?? []));
    }
  }
  if (series.length === 0) return ["no series"];
  const columns = new Set(series.flatMap((each) => each.columns));
  return [...columns].flatMap((name) => (isFilled(name, series) ? [] : [`${name} is empty`]));
}

/** As the server gave it: the client's own rows would leave out the columns that are empty. */
const answerOf = async (client: InfluxDB, query: string, database: string): Promise<Answer> => {
  try {
    return (await client.queryRaw(query, { database })) as Answer;
  } catch (error) {
    return { results: [{ error: error instanceof Error ? error.message : String(error) }] };
  }
};

const isFilled = (name: string, series: readonly Series[]): boolean =>
  series.some(({ columns, values }) => columns.includes(name) && values.some((row) => row[columns.indexOf(name)] !== null));
