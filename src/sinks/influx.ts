import { z } from "zod";
import { JoulebenchError } from "../model/errors.ts";
import { defineSink, type Sink, type SinkContext } from "../model/sink.ts";
import { Delivery, LIMITS, type Limits } from "./delivery.ts";
import { InfluxDatabase } from "./influx-database.ts";
import { type Point, Points } from "./influx-points.ts";

/** The connection settings of the `influx` package; the password comes from the environment, never from a file. */
const Options = z
  .strictObject({
    host: z.string().min(1).default("127.0.0.1").describe("Name or address of the database server"),
    port: z.int().min(1).max(65_535).default(8086),
    protocol: z.enum(["http", "https"]).default("http"),
    path: z
      .string()
      .regex(/^(\/.*)?$/, "starts with /")
      .default("")
      .describe("Prefix of every request, behind a proxy"),
    database: z.string().min(1).default("joulebench").describe("Created when it does not exist and the user may"),
    username: z.string().min(1).optional(),
    password_env: z.string().min(1).optional().describe("Environment variable that holds the password"),
  })
  .refine(({ username, password_env }) => password_env === undefined || username !== undefined, {
    path: ["username"],
    error: "expected the user whose password password_env names",
  });

export type InfluxOptions = z.infer<typeof Options>;

/** Copies of results, 10 Hz means, events and faults in an InfluxDB 1.x. */
export const influx = defineSink({
  kind: "influx",
  summary: "InfluxDB 1.x: results, 10 Hz means, events and faults",
  options: Options,
  open: (options, context) => openInflux(options, context, LIMITS),
});

/** @throws JoulebenchError `config` when the environment lacks the password the rig refers to. */
export function openInflux(options: InfluxOptions, context: SinkContext, limits: Limits): Sink {
  const subject = `influx@${options.host}:${options.port}/${options.database}`;
  const database = new InfluxDatabase(options, password(options, subject), limits.request_ms);
  const delivery = new Delivery(database, limits, {
    refused: (count, reason) => context.fault("sink_refused", count, `${subject}: ${reason}`),
    trouble: (reason) => context.notice(`${subject}: ${reason}; points are kept and sent again, the measurement goes on`),
  });
  const points = new Points(context);
  const offer = (point: Point | undefined): void => (point ? delivery.offer(point) : delivery.refuse("no finite value or time", 1));
  return {
    kind: "influx",
    power: (mean) => offer(points.power(mean)),
    event: (event, at_s) => offer(points.event(event, at_s)),
    fault: (fault) => {
      // What sinks refused is not told to a sink: the telling could be refused, and told, for ever.
      if (fault.code !== "sink_refused") offer(points.fault(fault));
    },
    measurement: (measurement) => offer(points.measurement(measurement)),
    close: () => delivery.close(),
  };
}

function password({ username, password_env }: InfluxOptions, subject: string): string | undefined {
  if (password_env === undefined) return undefined;
  const value = process.env[password_env];
  if (value === undefined) {
    throw new JoulebenchError(
      "config",
      subject,
      `the environment variable ${password_env} is not set; it must hold the password of ${username}`,
    );
  }
  return value;
}
