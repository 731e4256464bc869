import { JoulebenchError } from "../model/errors.ts";
import type { SetupStep } from "../model/sink.ts";
import { reasonOf } from "./influx-answer.ts";
import { authorization, placeOf, query } from "./influx-flavor.ts";
import { type Call, HttpServer } from "./influx-http.ts";
import { type InfluxOptions, portOf, subjectOf } from "./influx-options.ts";

const LIMIT_MS = 30_000;
const TASK = "joulebench_power_1s";
const HOURS = { h: 1, d: 24, w: 168 } as const;

/** Calls a server and takes nothing but success. */
export class Administration {
  readonly #options: InfluxOptions;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: InfluxOptions, secret: string | undefined) {
    this.#options = options;
    this.#headers = { ...authorization(options, secret), "Content-Type": "application/json" };
  }

  /** @param fine statuses beside 2xx that will do. @returns the answer's JSON. @throws JoulebenchError `sink` */
  async call(method: Call["method"], path: string, body?: unknown, fine: readonly number[] = []): Promise<unknown> {
    const { host, protocol, path: prefix } = this.#options;
    const server = new HttpServer({ host, port: portOf(this.#options), protocol }, LIMIT_MS);
    const text = body === undefined ? "" : JSON.stringify(body);
    const reply = await server.call({ method, path: `${prefix}${path}`, headers: this.#headers, body: text });
    server.close();
    const failed = (reason: string) => new JoulebenchError("sink", subjectOf(this.#options), `${reason}, at ${method} ${path}`);
    if (typeof reply === "string") throw failed(reply);
    const isDone = (reply.status >= 200 && reply.status < 300) || fine.includes(reply.status);
    if (!isDone) throw failed(reasonOf(reply));
    try {
      return reply.body === "" ? {} : JSON.parse(reply.body);
    } catch {
      throw failed(`${reply.status} and no JSON`);
    }
  }
}

/** InfluxDB 2.x: a bucket for each retention, and the task that keeps seconds of power. */
export function setup2(options: InfluxOptions, secret: string | undefined): readonly SetupStep[] {
  const { org = "", retention } = options;
  const server = new Administration(options, secret);
  const bucket = (name: string, span: string): SetupStep => {
    const retentionRules = span === "inf" ? [] : [{ type: "expire", everySeconds: seconds(span) }];
    return {
      text: `POST /api/v2/buckets ${JSON.stringify({ org, name, retentionRules })}`,
      run: () => putBucket(server, { org, name, retentionRules }),
    };
  };
  if (!retention) return [bucket(options.database, "inf")];
  const flux = secondsTask(options);
  return [
    bucket(placeOf(options, "results").database, retention.results),
    bucket(placeOf(options, "raw").database, retention.raw),
    bucket(placeOf(options, "second").database, retention.second),
    { text: `POST /api/v2/tasks ${JSON.stringify({ org, flux, status: "active" })}`, run: () => putTask(server, org, flux) },
  ];
}

async function putBucket(server: Administration, { org, name, retentionRules }: { org: string; name: string; retentionRules: unknown }) {
  const found = firstOf(await server.call("GET", `/api/v2/buckets?${query({ org, name })}`, undefined, [404]), "buckets");
  if (found) await server.call("PATCH", `/api/v2/buckets/${encodeURIComponent(found)}`, { retentionRules });
  else {
    const orgID = firstOf(await server.call("GET", `/api/v2/orgs?${query({ org })}`), "orgs");
    await server.call("POST", "/api/v2/buckets", { orgID, name, retentionRules });
  }
}

async function putTask(server: Administration, org: string, flux: string): Promise<void> {
  const found = firstOf(await server.call("GET", `/api/v2/tasks?${query({ org, name: TASK })}`), "tasks");
  if (found) await server.call("PATCH", `/api/v2/tasks/${encodeURIComponent(found)}`, { flux, status: "active" });
  else await server.call("POST", "/api/v2/tasks", { org, flux, status: "active" });
}

/** The id of the first of a list, if there is one. */
function firstOf(answer: unknown, list: string): string | undefined {
  const found = (answer as Readonly<Record<string, readonly { id?: unknown }[] | undefined>>)[list]?.[0]?.id;
  return typeof found === "string" ? found : undefined;
}

export const seconds = (span: string): number => Number.parseInt(span, 10) * HOURS[span.at(-1) as keyof typeof HOURS] * 3600;

/** Every hour over the last day, because points that waited out a night without the database come late. */
function secondsTask(options: InfluxOptions): string {
  const [raw, second] = (["raw", "second"] as const).map((kept) => JSON.stringify(placeOf(options, kept).database));
  const part = (fn: string, ...fields: string[]): string =>
    `power |> filter(fn: (r) => ${fields.map((field) => `r._field == "${field}"`).join(" or ")})` +
    ` |> aggregateWindow(every: 1s, fn: ${fn}, timeSrc: "_start", createEmpty: false)` +
    ` |> to(bucket: ${second}, org: ${JSON.stringify(options.org)})`;
  return [
    `option task = {name: "${TASK}", every: 1h}`,
    `power = from(bucket: ${raw}) |> range(start: -1d) |> filter(fn: (r) => r._measurement == "power")`,
    part("mean", "power_w", "current_a", "voltage_v"),
    part("min", "power_min_w"),
    part("max", "power_max_w"),
    part("sum", "duration_s"),
    part("last", "session"),
  ].join("\n");
}
