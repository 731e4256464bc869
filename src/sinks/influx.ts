import { defineSink, type Sink, type SinkContext } from "../model/sink.ts";
import { Courier, LIMITS, type Limits } from "./courier.ts";
import { InfluxDatabase } from "./influx-database.ts";
import { type InfluxOptions, Options, secretOf, subjectOf } from "./influx-options.ts";
import { Points } from "./influx-points.ts";
import { setupInflux } from "./influx-setup.ts";
import { Outbox } from "./outbox.ts";

/** Copies of results, means of power, events and faults in an InfluxDB. */
export const influx = defineSink({
  kind: "influx",
  summary: "InfluxDB 1.x, 2.x, 3.x: results, means of power, events and faults",
  options: Options,
  open: (options, context) => openInflux(options, context, LIMITS),
  setup: setupInflux,
});

/** @throws JoulebenchError as {@link influx}'s `open` */
export function openInflux(options: InfluxOptions, context: SinkContext, limits: Limits): Sink {
  const subject = subjectOf(options);
  const database = new InfluxDatabase(options, secretOf(options), limits.request_ms);
  const courier = new Courier(new Outbox(context.outbox, context.anew), database, limits, {
    refused: (count, reason) => context.fault("sink_refused", count, `${subject}: ${reason}`),
    trouble: (reason) => context.notice(`${subject}: ${reason}; points are kept and sent again, the measurement goes on`),
  });
  const points = new Points({ ...context, tags: options.tags });
  const offer = (line: string | undefined): void =>
    line === undefined ? courier.refuse("no finite value or time", 1) : courier.offer(line);
  return {
    kind: "influx",
    rate_hz: options.rate_hz,
    power: (mean) => offer(points.power(mean)),
    event: (event, at_s) => offer(points.event(event, at_s)),
    reading: (reading, at_s) => {
      for (const line of points.reading(reading, at_s)) offer(line);
    },
    fault: (fault) => {
      // What sinks refused is not told to a sink: the telling could be refused, and told, for ever.
      if (fault.code !== "sink_refused") for (const line of points.fault(fault)) offer(line);
    },
    clock: () => database.clock(),
    health: (health) => offer(points.health(health)),
    results: (results) => {
      for (const line of points.results(results)) offer(line);
    },
    close: (patience) => {
      database.close();
      return courier.close(patience);
    },
  };
}
