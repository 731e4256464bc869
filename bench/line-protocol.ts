import { Point } from "@influxdata/influxdb-client";
import { lineOf, seriesOf } from "../src/sinks/line-protocol.ts";
import { check, leastOf } from "./cpu.ts";
import { report } from "./row.ts";

const POINTS = 200_000;
const ROUNDS = 5;
const START_NS = 1_767_323_045_123_456_789n;
const TAGS = { rig: "bench 1", source: "meter", channel: "main" };

/** In the order of names, which is that of the client's. */
const values = (k: number): { readonly power_max_w: number; readonly power_min_w: number; readonly power_w: number } => ({
  power_max_w: 5 + (k % 89) / 89,
  power_min_w: 3.5,
  power_w: 4 + (k % 997) / 997,
});
const stamp = (k: number): string => String(START_NS + BigInt(k) * 100_000_000n);

/** A point of the vendor's client for 2.x, which escapes as it goes. */
function theirLine(k: number): string {
  const point = new Point("power");
  for (const [name, value] of Object.entries(TAGS)) point.tag(name, value);
  for (const [name, value] of Object.entries(values(k))) point.floatField(name, value);
  return point.timestamp(stamp(k)).toLineProtocol()!;
}

/** Series and fields written anew each time, and with the series kept, as the sink does it. */
const ourLine = (k: number): string => lineOf(seriesOf("power", TAGS), values(k), stamp(k))!;
const series = seriesOf("power", TAGS);
const sinkLine = (k: number): string => lineOf(series, values(k), stamp(k))!;

function all(line: (k: number) => string): number {
  let length = 0;
  for (let k = 0; k < POINTS; k++) length += line(k).length;
  return length;
}

for (const k of [0, 1, 12_345])
  check(ourLine(k) === theirLine(k) && sinkLine(k) === theirLine(k), `other lines: ${ourLine(k)} and ${theirLine(k)}`);
const time_s = await leastOf(ROUNDS, { theirs: () => all(theirLine), ours: () => all(ourLine), sink: () => all(sinkLine) });
const rate = (seconds: number): number => POINTS / seconds / 1e6;
const against = { unit: "M points/CPU s", against: "Point of @influxdata/influxdb-client", theirs: rate(time_s.theirs) };
report({ what: "line protocol, every point alone", ours: rate(time_s.ours), ...against });
report({ what: "line protocol, as the sink does it", ours: rate(time_s.sink), ...against, target: { atLeast: 3 * rate(time_s.theirs) } });
