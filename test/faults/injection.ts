import { rmSync } from "node:fs";
import { join } from "node:path";
import { JoulebenchError } from "../../src/model/errors.ts";
import type { Disk } from "../../src/store/disk.ts";
import { TapeWriter } from "../../src/store/tape-writer.ts";
import { CALLS, faultyDisk, type Injection, SmallDisk } from "./faulty-disk.ts";
import { isStatement, Oracle, readTape, recordOf } from "./oracle.ts";

/** A run: so many ticks of so many records each, synced every few ticks. Short, for every call of it is made to fail. */
const TICKS = 16;
const RECORDS = 5;
const SYNC_TICKS = 3;
const RESERVE_BYTES = 4096;

export interface Swept {
  readonly runs: number;
  readonly wrongs: readonly string[];
}

/** What became of one run. */
interface Outcome {
  readonly wrongs: readonly string[];
  readonly pauses: number;
  /** The last record that a full disk may cost is there. */
  readonly isFresh: boolean;
}

interface Course {
  /** Called before each tick. */
  readonly tick?: (k: number) => void;
  /** Nobody waits for the disk's answer before the next tick. */
  readonly isHasty?: boolean;
  /** When it pauses, everything until then must have found room in the reserve. */
  readonly needsReserve?: boolean;
}

/** Writes a tape on `disk`, and compares it with what was issued. */
async function runOn(dir: string, disk: Disk, { tick = () => {}, isHasty = false, needsReserve = false }: Course = {}): Promise<Outcome> {
  rmSync(dir, { recursive: true, force: true });
  const oracle = new Oracle();
  const acknowledged = (from: number, to: number): void => oracle.acknowledge(from, to);
  let pauses = 0;
  const torn: string[] = [];
  let writer: TapeWriter;
  try {
    writer = new TapeWriter(join(dir, "tape"), { disk, onRefusal: "pause", reserve_bytes: RESERVE_BYTES, acknowledged });
  } catch (error) {
    if (error instanceof JoulebenchError && error.kind === "sink") return { wrongs: [], pauses, isFresh: false };
    throw error;
  }
  for (let k = 0; k < TICKS; k++) {
    tick(k);
    for (let n = 0; n < RECORDS; n++) writer.append(recordOf(oracle.issued++));
    writer.flush();
    const synced = k % SYNC_TICKS === SYNC_TICKS - 1 ? writer.sync() : undefined;
    if (!isHasty) await synced;
    if (writer.isPaused && pauses++ === 0 && needsReserve && readTape(join(dir, "tape")).records.size < oracle.issued)
      torn.push("paused without an end in order, though there was a reserve");
  }
  const ended = await writer.close().then(
    () => "closed" as const,
    (error: unknown) => (error instanceof JoulebenchError ? ("cut" as const) : Promise.reject(error)),
  );
  const found = readTape(join(dir, "tape"));
  const isHealthy = pauses === 0 && found.lapses.length === 0;
  return {
    wrongs: [
      ...torn,
      ...oracle.wrongs(found, ended),
      ...(ended === "cut" && isHealthy ? ["could not be closed though nothing was wrong"] : []),
      ...(found.damaged_bytes > 0 && ended === "closed" && !found.lapses.some(({ state }) => state === "suspect")
        ? [`${found.damaged_bytes} bytes damaged`]
        : []),
    ],
    pauses,
    isFresh: found.records.has(oracle.issued - 1 - Number(isStatement(oracle.issued - 1))),
  };
}

/** Every call of a kind fails in its turn, `times` of them in a row, until a run goes through without meeting one. */
export async function sweepCalls(dir: string, { call, times, code }: Omit<Injection, "nth">): Promise<Swept> {
  const wrongs: string[] = [];
  for (let nth = 0; ; nth++) {
    const { disk, calls } = faultyDisk({ call, nth, times, code });
    const outcome = await runOn(dir, disk, { isHasty: nth % 2 === 1 });
    wrongs.push(...outcome.wrongs.map((wrong) => `${code} at ${call} ${nth}, ${times} times: ${wrong}`));
    if (calls() <= nth) return { runs: nth + 1, wrongs };
  }
}

/** Every kind of call, once, a few times and for good, with the disk's two words. */
export async function sweepAll(dir: string): Promise<Swept> {
  let runs = 0;
  const wrongs: string[] = [];
  for (const call of CALLS)
    for (const code of ["EIO", "ENOSPC"])
      for (const times of [1, 4, Number.POSITIVE_INFINITY]) {
        const swept = await sweepCalls(dir, { call, times, code });
        runs += swept.runs;
        wrongs.push(...swept.wrongs);
      }
  return { runs, wrongs };
}

/** Space runs out at every `step` bytes, comes back after a while or never; the tape must begin again when it does. */
export async function sweepSizes(dir: string, step: number): Promise<Swept> {
  let runs = 0;
  let wrongs: string[] = [];
  for (const comesBack of [true, false])
    for (let size = 0; ; size += step) {
      const disk = new SmallDisk(size);
      const grow = (k: number): void => {
        if (k === TICKS - 2 * SYNC_TICKS - 1) disk.capacity = 1e9;
      };
      const outcome = await runOn(dir, disk, { needsReserve: true, ...(comesBack ? { tick: grow } : {}) });
      runs++;
      const isLate = comesBack && outcome.pauses > 0 && !outcome.isFresh;
      if (isLate) wrongs.push(`room for ${size} bytes: not recording again when there was space`);
      wrongs = [...wrongs, ...outcome.wrongs.map((wrong) => `room for ${size} bytes: ${wrong}`)];
      if (outcome.pauses === 0 && size > 2 * RESERVE_BYTES + 30_000) break;
    }
  return { runs, wrongs };
}
