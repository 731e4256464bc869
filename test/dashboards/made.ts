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

const kind = sinks.find((each) => each.kind === "influx")!;
const refuseIn =
  (folder: string) =>
  (_code: string, count: number, detail?: string): never => {
    throw new JoulebenchError("sink", folder, `${count} points were refused: ${detail}`);
  };

/** What telemetry and the search for throttling will tell, told to the sink as a session tells it. */
export async function makeReadingsAndEpisodes({ port, database, session, folder, started_ms }: Made): Promise<void> {
  const sink = kind.open(kind.options.parse({ port, database, tags: { device: "phone" } }), {
    ...{ rig: "virtual", host: "lab-1", session, wallStart_ns: BigInt(started_ms) * 1_000_000n, work: {}, outbox: folder },
    ...{ fault: refuseIn(folder), notice: () => {} },
  });
  for (let at_s = 0; at_s < 60; at_s++)
    for (const channel of CHANNELS) sink.reading?.({ source: "telemetry", epoch: 0, channel, tick: at_s, value: 40 + at_s / 10 }, at_s);
  sink.results?.(resultsOf([], { session, throttling: { episodes: [EPISODE] } }));
  await sink.close(END);
}

/** How a bench is, as its daemon tells it: of no session, so that its sink begins in 1970. */
export async function makeHealth({ port, database, folder, started_ms }: Omit<Made, "session">): Promise<void> {
  const sink = kind.open(kind.options.parse({ port, database, tags: { device: "phone" } }), {
    ...{ rig: "virtual", host: "lab-1", session: "daemon", wallStart_ns: 0n, work: {}, outbox: folder },
    ...{ fault: refuseIn(folder), notice: () => {} },
  });
  sink.health?.({
    ...{ rig: "virtual", host: "lab-1", state: "measuring", at_s: started_ms / 1000, since_s: started_ms / 1000 - 60, plan: "01.yaml" },
    ...{
      cell: 3,
      cells: 8,
      queued: 2,
      restarts: 1,
      error: "ended by a signal",
      database_lag_s: 7,
      outbox_bytes: 900,
      energy_per_token_j: 0.4,
    },
  });
  await sink.close(END);
}
