import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InferenceEvent } from "../../src/model/event.ts";
import type { Measurement } from "../../src/model/measurement.ts";
import { LIMITS } from "../../src/sinks/delivery.ts";
import { openInflux } from "../../src/sinks/influx.ts";
import { type Point, Points } from "../../src/sinks/influx-points.ts";
import { Influxd } from "../sinks/influxd.ts";
import { examplesOf, named, rowsBelow } from "./pages.ts";

const PAGE = "docs/influx.md";
const wallStart_ns = 1_767_323_045_000_000_000n;
const context = { rig: "pi5", session: "s-1", wallStart_ns };
const power = { source: "meter.main", start_s: 0, end_s: 0.1, mean_w: 2, min_w: 1, max_w: 3 };
const result: Measurement = {
  ...{ name: "decode_energy_per_token", value: 0.2, unit: "J/token", uncertainty: 0.001, coverage: 1, source: "meter.main" },
  ...{ phase: "decode", request: "r1", index: 1, tokens: 8, start_s: 1, end_s: 2, flags: ["GAP"] },
};
const event: InferenceEvent = {
  ...{ type: "request_end", source: "device", epoch: 0, tick: 1, request: "r1", tokens: 1, outputTokens: 9, unit: "image", count: 1 },
  ...{ model: "m", phase: "warm", correct: 1 },
};
const fault = { source: "meter", code: "lost_samples", count: 7, at_s: 1, detail: "why" } as const;

test("measurements, tags and fields are those of the sink", () => {
  const points = new Points(context);
  const made = [points.power(power), points.measurement(result), points.event(event, 1), points.fault(fault)].map((each) => each!);
  expect(rowsBelow(PAGE, "Measurements").filter(([name]) => named(name!).length > 0)).toEqual(
    made.map((point) => expect.arrayContaining([`\`${point.measurement}\``, list(Object.keys(point.tags)), list(fieldsOf(point))])),
  );
});

test("names of fields follow the unit", () => {
  const units = rowsBelow(PAGE, "Measurements").filter(([name]) => named(name!).length === 0);
  expect(units.length).toBeGreaterThan(4);
  for (const [unit, fields] of units) {
    const point = new Points(context).measurement({ ...result, unit: unit! })!;
    expect(Object.keys(point.fields)).toEqual(expect.arrayContaining(named(fields!)));
  }
});

describe("queries of the page, in a real database", () => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start();
    const options = { host: "127.0.0.1", port: influxd.port, protocol: "http", path: "", database: "joulebench" } as const;
    const sink = openInflux(options, { ...context, fault: () => {}, notice: () => {} }, LIMITS);
    sink.power?.(power);
    sink.measurement?.(result);
    sink.fault?.(fault);
    expect(await sink.close()).toEqual({ refused: 0 });
  });
  afterAll(() => influxd.stop());

  test.each(examplesOf(PAGE).filter(({ info }) => info === "sql"))("line $line", async ({ text }) => {
    expect(await influxd.client().query(text, { database: "joulebench" })).toHaveLength(1);
  });
});

const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");

const fieldsOf = ({ fields }: Point): string[] => Object.keys(fields).map((name) => name.replace("_j_per_token", "_<unit>"));
