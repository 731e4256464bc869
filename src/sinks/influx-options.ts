import { z } from "zod";
import { JoulebenchError } from "../model/errors.ts";
import { RESERVED } from "./influx-schema.ts";

/** As InfluxDB writes durations; `inf` is for ever. */
const Span = z.string().regex(/^(inf|[1-9]\d*[hdw])$/, "expected a number of hours, days or weeks, such as 30d, or inf");

/** The rig's `sinks.influx`; secrets come from the environment, never from a file. */
export const Options = z
  .strictObject({
    flavor: z.literal([1, 2, 3]).default(1).describe("InfluxDB 1.x, 2.x or 3.x"),
    host: z.string().min(1).default("127.0.0.1").describe("Name or address of the database server"),
    port: z.int().min(1).max(65_535).optional().describe("8086, and 8181 of flavor 3"),
    protocol: z.enum(["http", "https"]).default("http"),
    path: z
      .string()
      .regex(/^(\/.*)?$/, "starts with /")
      .default("")
      .describe("Prefix of every request, behind a proxy"),
    database: z.string().min(1).default("joulebench").describe("Database; of flavor 2 the bucket"),
    org: z.string().min(1).optional().describe("Organisation, of flavor 2"),
    username: z.string().min(1).optional().describe("Of flavor 1"),
    password_env: z.string().min(1).optional().describe("Environment variable that holds the password"),
    token_env: z.string().min(1).optional().describe("Environment variable that holds the token, of flavors 2 and 3"),
    rate_hz: z.number().min(0.01).max(1000).default(10).describe("Means of power per second"),
    gzip: z.boolean().default(true),
    tags: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_]*$/, "lower case letters, digits and _"),
        z
          .string()
          .min(1)
          .regex(/^\P{Cc}+$/u, "text without control characters"),
      )
      .default({})
      .describe("The rig's own tags on every point"),
    retention: z
      .strictObject({
        raw: Span.default("30d").describe("Power, events and telemetry"),
        second: Span.default("104w").describe("Power, means of one second"),
        results: Span.default("inf"),
      })
      .optional(),
  })
  .check(({ value, issues }) => {
    const { flavor, org, username, password_env, token_env, tags } = value;
    const complain = (key: string, message: string): number => issues.push({ code: "custom", path: [key], message, input: value });
    if (password_env !== undefined && username === undefined) complain("username", "expected the user whose password password_env names");
    if (flavor !== 1 && username !== undefined) complain("username", `is of flavor 1; flavor ${flavor} takes \`token_env\``);
    if (flavor === 1 && token_env !== undefined)
      complain("token_env", "is of flavors 2 and 3; flavor 1 takes `username` and `password_env`");
    if (flavor === 2 && org === undefined) complain("org", "missing: expected the organisation the bucket belongs to");
    if (flavor !== 2 && org !== undefined) complain("org", "is of flavor 2");
    const taken = Object.keys(tags).filter((name) => RESERVED.has(name));
    if (taken.length > 0) complain("tags", `${taken.join(", ")}: points have a tag or a field of that name already`);
  });

export type InfluxOptions = z.infer<typeof Options>;
export type Retention = NonNullable<InfluxOptions["retention"]>;

/** Where the server listens when the rig does not say. */
const PORTS = { 1: 8086, 2: 8086, 3: 8181 } as const;
export const portOf = ({ port, flavor }: InfluxOptions): number => port ?? PORTS[flavor];

/** What failed, as the user names it. */
export const subjectOf = (options: InfluxOptions): string => `influx@${options.host}:${portOf(options)}/${options.database}`;

/** What the environment holds. @throws JoulebenchError `config` when it lacks what the rig refers to. */
export function secretOf(options: InfluxOptions): string | undefined {
  const { username, password_env, token_env } = options;
  const name = password_env ?? token_env;
  if (name === undefined) return undefined;
  const value = process.env[name];
  if (value === undefined) {
    const problem =
      password_env === undefined ? "is not set; it must hold the token" : `is not set; it must hold the password of ${username}`;
    throw new JoulebenchError("config", subjectOf(options), `the environment variable ${name} ${problem}`);
  }
  return value;
}
