import type { InfluxOptions } from "./influx-options.ts";

/** What is kept apart, because it is kept for different times. */
export type Kept = "raw" | "second" | "results";

/**
 * Where power and events, seconds, and results lie.
 *
 * Without `retention` all is in one place, kept as long as the server decides. With it, 1.x has retention policies `raw`
 * and `second` beside the database's default one; 2.x and 3.x, whose retention is the bucket's or the database's, have
 * one for each.
 */
export function placeOf(
  { flavor, database, retention }: InfluxOptions,
  kept: Kept,
): { readonly database: string; readonly policy?: string } {
  if (!retention || kept === "results") return { database };
  return flavor === 1 ? { database, policy: kept } : { database: `${database}_${kept}` };
}

/** Path and query of writes, as the vendor's references of `/write`, `/api/v2/write` and `/api/v3/write_lp` say. */
export function writePath(options: InfluxOptions, kept: Kept): string {
  const { database, policy } = placeOf(options, kept);
  const { flavor, org = "", path } = options;
  if (flavor === 1) return `${path}/write?${query({ db: database, ...(policy === undefined ? {} : { rp: policy }), precision: "ns" })}`;
  if (flavor === 2) return `${path}/api/v2/write?${query({ org, bucket: database, precision: "ns" })}`;
  // 3.x guesses the precision from the size of the number where none is named.
  return `${path}/api/v3/write_lp?${query({ db: database, precision: "nanosecond", accept_partial: "true" })}`;
}

export const query = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");

/** Who is there. */
export function authorization({ flavor, username }: InfluxOptions, secret: string | undefined): Readonly<Record<string, string>> {
  if (flavor === 1) {
    if (username === undefined) return {};
    return { Authorization: `Basic ${Buffer.from(`${username}:${secret ?? ""}`).toString("base64")}` };
  }
  if (secret === undefined) return {};
  return { Authorization: flavor === 2 ? `Token ${secret}` : `Bearer ${secret}` };
}
