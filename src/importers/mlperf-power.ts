import { identityMap } from "../model/clock.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { Accuracy } from "../model/instrument.ts";
import type { ImportedFile, Importer, PowerRecording } from "../model/recording.ts";
import { fileNamed, readFolder, type Wanted } from "./folder.ts";
import { clientMap, clockFacts, type HostOffset, hostOffset } from "./mlperf-clocks.ts";
import { type HostLog, type PowerLog, readDetail, readHostLog, readPowerLog, stamp_ms } from "./mlperf-texts.ts";
import { mlperfValues, type PowerWindow, queryCount } from "./mlperf-values.ts";
import { Problems } from "./problems.ts";
import { traceBlocks } from "./trace.ts";

const SAMPLES = "spl.txt";
const DETAIL = "mlperf_log_detail.txt";
const CLIENT = "client.json";
const SERVER = "server.json";

const POWER = "ptdaemon";
const LOADGEN = "loadgen";
const CHANNEL = "main";
const REQUEST = "performance run";

/** PTDaemon asks the analyser once a second ("maximum 500000 samples at 1000ms"). */
const NOMINAL_S = 1;

/** MLPerf takes no sample to which PTDaemon gives an uncertainty above 1.00 % (power-dev, compliance check): rectangular. */
const LARGEST_ERROR = 0.01;

/** In a published submission the logs of the power client and server lie in `power`, those of the run in `run_1`. */
const below = (name: string, folder: string): Wanted => ({ name, places: [name, `${folder}/${name}`] });

/** A run of MLPerf Inference with power, as its submissions publish it. */
export const mlperfPower: Importer = {
  format: "mlperf-power",
  summary: "an MLPerf Inference run with power: PTDaemon samples, LoadGen log and the logs of both hosts",
  example: "mlperf-power results/AGX_Xavier/ssd-resnet34/SingleStream/performance --out sessions/xavier",
  collect: (path) => readFolder(path, [below(SAMPLES, "run_1"), below(DETAIL, "run_1"), below(CLIENT, "power"), below(SERVER, "power")]),
  decode,
};

/** Everything a run's files say, with all stamps in UTC. */
interface Run {
  readonly log: PowerLog;
  readonly detail: ReadonlyMap<string, unknown>;
  readonly window: PowerWindow;
  readonly offset: HostOffset;
}

function decode(files: readonly ImportedFile[]): PowerRecording {
  const problems = new Problems();
  const client = readHostLog(fileNamed(files, CLIENT), problems);
  const server = readHostLog(fileNamed(files, SERVER), problems);
  const detail = readDetail(fileNamed(files, DETAIL), problems);
  const local = stampedLocally(detail);
  const log = shifted(readPowerLog(fileNamed(files, SAMPLES), problems), local ? server : undefined);
  const window = readWindow(detail, local ? client : undefined, problems);
  const offset = client && hostOffset(client);
  if (client && !offset) problems.add(CLIENT, 'has no "time" exchange, so the difference of the two clocks is unknown');
  if (window && client) checkPhase(window, client, problems);
  if (window && problems.count === 0) checkSpan(window, log, problems);
  problems.throwIfAny("MLPerf import");
  return recording({ log, detail, window: window!, offset: offset! });
}

function recording({ log, detail, window, offset }: Run): PowerRecording {
  const origin_ms = Math.floor(log.times_ms[0]! / 1000) * 1000;
  const seconds = (at_ms: number) => (at_ms - origin_ms) / 1000;
  const { blocks, faults } = traceBlocks({
    source: POWER,
    // The analyser averages over its own update interval, which need not be the whole second between two readings.
    sampler: "averaged",
    times_s: Float64Array.from(log.times_ms, seconds),
    columns: { [`${CHANNEL}.power_w`]: Float64Array.from(log.power_w) },
    nominal_s: NOMINAL_S,
    breaks: [],
  });
  const queries = queryCount(detail, window);
  const unread = { source: POWER, code: "unread_line", count: log.unread, at_s: 0 } as const;
  return {
    measurand: { source: POWER, channel: CHANNEL, accuracy: ACCURACY },
    maps: [identityMap(POWER, 0), clientMap(LOADGEN, offset)],
    events: unitEvents(seconds(window.begin_ms), seconds(window.end_ms), queries),
    readings: [],
    idle: [],
    faults: log.unread > 0 ? [...faults, unread] : faults,
    references: mlperfValues(log, window, queries, REQUEST),
    clocks: { [LOADGEN]: clockFacts(offset), [POWER]: { map: "server's clock: session time is seconds of it" } },
    blocks,
  };
}

const ACCURACY: Accuracy = {
  gain: LARGEST_ERROR / Math.sqrt(3),
  currentOffset_a: 0,
  voltageOffset_v: 0,
  currentResolution_a: 0,
  voltageResolution_v: 0,
  // A reading may be up to one sample old when it is stamped.
  sampling_s: NOMINAL_S / 2 / Math.sqrt(3),
};

/** As MLPerf's checker has it: LoadGen 1.0 and its PTDaemon scripts stamped in local time, later ones in UTC. */
const stampedLocally = (detail: ReadonlyMap<string, unknown>): boolean => /^v?1\.0\b/.test(String(detail.get("loadgen_version")));

/** Local stamps become UTC by the `timezone` of the host that made them: seconds to add. */
const shift_ms = (host: HostLog | undefined): number => (host?.timezone ?? 0) * 1000;

function shifted(log: PowerLog, host: HostLog | undefined): PowerLog {
  return { ...log, times_ms: log.times_ms.map((at_ms) => at_ms + shift_ms(host)) };
}

function readWindow(detail: ReadonlyMap<string, unknown>, host: HostLog | undefined, problems: Problems): PowerWindow | undefined {
  const [begin_ms, end_ms] = ["power_begin", "power_end"].map((key) => {
    const at_ms = stamp_ms(String(detail.get(key)));
    if (Number.isNaN(at_ms)) problems.add(DETAIL, `has no ${key} with a time MM-DD-YYYY HH:MM:SS.mmm`);
    return at_ms + shift_ms(host);
  }) as [number, number];
  if (begin_ms >= end_ms) problems.add(DETAIL, "power_end does not come after power_begin");
  return begin_ms < end_ms ? { begin_ms, end_ms } : undefined;
}

/** The window must lie in the testing phase as the same host logged it, or its stamps were misread. */
function checkPhase({ begin_ms, end_ms }: PowerWindow, { phases }: HostLog, problems: Problems): void {
  const [from_s, to_s] = [phases.testing[1]![0]!, phases.testing[2]![0]!];
  if (begin_ms / 1000 > from_s && end_ms / 1000 < to_s) return;
  const [begin, end, length] = [begin_ms / 1000 - from_s, end_ms / 1000 - from_s, to_s - from_s].map((each) => each.toFixed(0));
  const found = `power_begin and power_end are ${begin} s and ${end} s after the testing phase began, which lasted ${length} s`;
  problems.add(CLIENT, `${found}: another run, or another time zone`);
}

function checkSpan({ begin_ms, end_ms }: PowerWindow, { times_ms }: PowerLog, problems: Problems): void {
  if (times_ms[0]! < begin_ms && times_ms.at(-1)! > end_ms) return;
  problems.add(SAMPLES, "does not span power_begin to power_end: samples of another run, or cut short");
}

/** The count is whole queries; a log that does not tell it makes the run its own unit. */
function unitEvents(begin_s: number, end_s: number, queries: number | undefined): readonly InferenceEvent[] {
  const unit = queries === undefined ? "run" : "query";
  const shared = { source: LOADGEN, epoch: 0, request: REQUEST, unit };
  return [
    { ...shared, type: "unit_start", tick: begin_s },
    { ...shared, type: "unit_end", tick: end_s, count: queries === undefined ? 1 : Math.round(queries) },
  ];
}
