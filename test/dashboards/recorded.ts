import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sessionRecords } from "../../bench/session-tape.ts";
import { Options } from "../../src/instruments/bridge-ina219-options.ts";
import type { TapeRecord } from "../../src/model/tape.ts";
import { instrumentOf, parseRig, type Rig } from "../../src/rig/rig.ts";
import { SESSION_FORMAT, type SessionFile, writeJson } from "../../src/store/session-file.ts";
import { TapeWriter } from "../../src/store/tape-writer.ts";
import { VERSION } from "../../src/store/version.ts";

/** The phone's clock against the host's in {@link sessionRecords}. */
const OFFSET_S = 3.217;
/** Frames that the tape lacks: after the last request, so that no window misses them. */
const LOST_S = [-5, -4.9] as const;

/** What a recorded session is called, when it began and where it goes. */
export interface Recorded {
  readonly dir: string;
  readonly session: string;
  readonly minutes: number;
  readonly started_ms: number;
  /** YAML of the rig's `sinks.influx`. */
  readonly influx: string;
  readonly plan?: unknown;
}

/** The rig of the virtual bench, whose database is the test's. */
export const rigWith = (influx: string, name = "virtual"): Rig =>
  parseRig(
    `${readFileSync("rigs/virtual.yaml", "utf8").replace("name: virtual", `name: ${name}`).replace("requests: 6", "requests: 5")}\nsinks: { influx: ${influx} }\n`,
    "rigs/virtual.yaml",
  );

/**
 * Writes the folder of a session that was recorded and not sent: bytes as the bridge and the phone put them on the
 * wire, with a load before the first request and some frames that the cable swallowed after the last.
 */
export async function record({ dir, session, minutes, started_ms, influx, plan }: Recorded, rig = rigWith(influx)): Promise<void> {
  const tape = new TapeWriter(join(dir, "tape"));
  for (const each of records(minutes, rig)) tape.append(each);
  await tape.close();
  writeJson(join(dir, "session.json"), {
    format: SESSION_FORMAT,
    session,
    joulebench: VERSION,
    state: "closed",
    origin: { run: true },
    rig,
    plan,
    host: {},
    started: new Date(started_ms).toISOString(),
    wallStart_ns: `${started_ms}000000`,
    identities: {},
  } satisfies SessionFile);
}

function* records(minutes: number, rig: Rig): Generator<TapeRecord> {
  const end_s = minutes * 60;
  const load = [loadLine("load_start", 10.6), loadLine("load_end", 10.9)];
  let seq = 0;
  for (const record of sessionRecords(minutes, Options.parse(instrumentOf(rig, "meter").options))) {
    const at_s = record.host_ns / 1e9;
    while (load[0] && load[0].host_ns <= record.host_ns) yield { ...load.shift()!, seq: seq++ };
    const isLost = record.source === "meter" && at_s > end_s + LOST_S[0] && at_s < end_s + LOST_S[1];
    if (!isLost) yield { ...record, seq: seq++ };
  }
}

const loadLine = (type: string, at_s: number): Omit<TapeRecord, "seq"> => ({
  source: "device",
  kind: "rx",
  host_ns: Math.round((at_s + 1e-3) * 1e9),
  bytes: Buffer.from(`${JSON.stringify({ type, request: "model", model: "phi-3-mini", time_s: at_s + OFFSET_S })}\n`),
});
