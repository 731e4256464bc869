import { JoulebenchError } from "../../src/model/errors.ts";
import { sinks } from "../../src/sinks/index.ts";
import { END, resultsOf } from "../sinks/bench.ts";

/** Where to and of what. */
export interface Made {
  readonly port: number;
  readonly database: string;
  readonly session: string;
  readonly folder: string;
  readonly started_ms: number;
}

const CHANNELS = ["temperature_degc:cpu", "temperature_degc:skin", "frequency_hz:cpu0", "frequency_max_hz:cpu0"];
const EPISODE = {
  onset_s: 20,
  onset_performance_s: 24,
  end_s: 60,
  cause: "thermal",
  class: "soft",
  evidence: ["cap", "rate"],
  severity: 0.31,
};

/** What telemetry and the search for throttling will tell, told to the sink as a session tells it. */
export async function makeReadingsAndEpisodes({ port, database, session, folder, started_ms }: Made): Promise<void> {
  const kind = sinks.find((each) => each.kind === "influx")!;
  const refuse = (_code: string, count: number, detail?: string): never => {
    throw new JoulebenchError("sink", folder, `${count} points were refused: ${detail}`);
  };
  const sink = kind.open(kind.options.parse({ port, database, tags: { device: "phone" } }), {
    ...{ rig: "virtual", session, wallStart_ns: BigInt(started_ms) * 1_000_000n, work: {}, outbox: folder },
    ...{ fault: refuse, notice: () => {} },
  });
  for (let at_s = 0; at_s < 60; at_s++)
    for (const channel of CHANNELS) sink.reading?.({ source: "telemetry", epoch: 0, channel, tick: at_s, value: 40 + at_s / 10 }, at_s);
  sink.results?.(resultsOf([], { session, throttling: { episodes: [EPISODE] } }));
  await sink.close(END);
}
