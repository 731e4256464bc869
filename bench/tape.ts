import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Options } from "../src/instruments/bridge-ina219-options.ts";
import type { TapeRecord } from "../src/model/tape.ts";
import { instrumentOf, parseRig, type Rig } from "../src/rig/rig.ts";
import { analyzeSession } from "../src/session/analysis.ts";
import { createSessionFolder } from "../src/session/folder.ts";
import { TapeReader } from "../src/store/tape-reader.ts";
import { TapeWriter } from "../src/store/tape-writer.ts";
import { check, cpu_s, leastOf } from "./cpu.ts";
import { report } from "./row.ts";
import { sessionRecords } from "./session-tape.ts";

const MINUTES = 20;
const ROUNDS = 3;
/** Beside an instrument of a megabyte a second, on a board a tenth as fast, a slower tape would be felt. */
const LEAST_MB = 100;
/** As much as the tape keeps back before it writes. */
const HELD_BYTES = 256 * 1024;

const bytesOf = (records: readonly TapeRecord[]): number => records.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** The bytes of the records and nothing else, in writes as large as the tape's. */
function rawAppend(path: string, records: readonly TapeRecord[]): void {
  const fd = openSync(path, "w");
  let held: Uint8Array[] = [];
  let length = 0;
  const flush = (): void => {
    writeSync(fd, Buffer.concat(held));
    held = [];
    length = 0;
  };
  for (const { bytes } of records) {
    held.push(bytes);
    length += bytes.length;
    if (length >= HELD_BYTES) flush();
  }
  flush();
  closeSync(fd);
}

function readAll(dir: string): number {
  let length = 0;
  for (const { bytes } of new TapeReader(dir).records()) length += bytes.length;
  return length;
}

/** A session folder with the tape in it, as `run` leaves it. */
async function sessionFolder(dir: string, rig: Rig, records: readonly TapeRecord[]): Promise<void> {
  const folder = createSessionFolder("bench", dir);
  const tape = new TapeWriter(join(dir, "tape"));
  for (const record of records) tape.append(record);
  await tape.close();
  folder.describe({ state: "closed", origin: { run: true }, rig, plan: rig.plan, identities: {} });
}

/** Least CPU time of appending; closing and compressing are not part of it. */
async function append_s(dir: string, records: readonly TapeRecord[]): Promise<{ ours: number; raw: number }> {
  const least = { ours: Number.POSITIVE_INFINITY, raw: Number.POSITIVE_INFINITY };
  for (let round = 0; round <= ROUNDS; round++) {
    const tape = new TapeWriter(join(dir, `tape-${round}`));
    const start_s = cpu_s();
    for (const record of records) tape.append(record);
    tape.flush();
    const middle_s = cpu_s();
    rawAppend(join(dir, "raw"), records);
    const end_s = cpu_s();
    await tape.close();
    if (round === 0) continue;
    least.ours = Math.min(least.ours, middle_s - start_s);
    least.raw = Math.min(least.raw, end_s - middle_s);
  }
  return least;
}

async function measure(dir: string): Promise<void> {
  const rig = parseRig(readFileSync("rigs/virtual.yaml", "utf8"), "rigs/virtual.yaml");
  const records = [...sessionRecords(MINUTES, Options.parse(instrumentOf(rig, "meter").options))];
  const bytes = bytesOf(records);
  const written = await append_s(dir, records);
  const unit = "MB/CPU s";
  report({
    what: "tape append, a frame a record",
    ours: bytes / written.ours / 1e6,
    unit,
    against: "bytes alone, same writes",
    theirs: bytes / written.raw / 1e6,
    target: { atLeast: LEAST_MB },
  });
  const session = join(dir, "session");
  await sessionFolder(session, rig, records);
  const time_s = await leastOf(ROUNDS, {
    analyze: () => {
      const { results } = analyzeSession(session);
      const lost = results.faults.filter((each) => each.code === "lost_samples" || each.code === "bad_frame");
      check(lost.length === 0, `the tape lost samples: ${JSON.stringify(lost)}`);
      check(results.summary.decode_energy_per_token?.n === MINUTES - 1, `${results.summary.decode_energy_per_token?.n} valid requests`);
    },
    read: () => check(readAll(join(session, "tape")) === bytes, "the tape gave other bytes back"),
  });
  const speed = (seconds: number): number => (MINUTES * 60) / seconds;
  report({
    what: `analyze ${MINUTES} min at 1 kHz`,
    ours: speed(time_s.analyze),
    unit: "x real time",
    against: "reading the tape alone",
    theirs: speed(time_s.read),
  });
}

const dir = mkdtempSync(join(tmpdir(), "joulebench-bench-"));
try {
  await measure(dir);
} finally {
  rmSync(dir, { recursive: true });
}
