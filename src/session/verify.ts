import { join } from "node:path";
import type { Lapse, TapeRecord } from "../model/tape.ts";
import { instrumentOf, type Rig, storedRig } from "../rig/rig.ts";
import { lapseOf } from "../store/lapse.ts";
import { readSessionFile } from "../store/session-file.ts";
import { TapeReader } from "../store/tape-reader.ts";
import { Decoder } from "./decoder.ts";
import type { Tape } from "./tape-recording.ts";
import { type Count, SampleCount } from "./verify-samples.ts";

/** Whether everything a session should hold is accounted for. */
export interface Verification {
  readonly format: 1;
  readonly session: string;
  readonly counts: readonly Count[];
  /** What the tape itself says it could not keep. */
  readonly lapses: readonly Lapse[];
  /** Bytes that form no record. */
  readonly damaged_bytes: number;
  /** Every count adds up. */
  readonly holds: boolean;
  /** Nothing is missing, nothing suspect, nothing damaged. */
  readonly isComplete: boolean;
}

/**
 * Counts what is on a session's tape against what should be: records by their sequence, samples by the instrument's
 * counter and stamps, and by the clock. It reads the tape twice and changes nothing.
 *
 * @throws JoulebenchError `config` when the folder is no session this version can read
 */
export function verifySession(dir: string): Verification {
  const file = readSessionFile(dir);
  const rig = "run" in file.origin ? storedRig(file.rig, join(dir, "session.json")) : undefined;
  return { format: 1, session: file.session, ...verifyTape(new TapeReader(join(dir, "tape")), rig) };
}

/** @param rig undefined for an import, of which only the records are counted */
export function verifyTape(tape: Tape, rig: Rig | undefined): Omit<Verification, "format" | "session"> {
  const lapses: Lapse[] = [];
  for (const record of tape.records()) {
    const lapse = lapseOf(record);
    if (lapse && lapse.toSeq >= lapse.fromSeq) lapses.push(lapse);
  }
  const suspect = lapses.filter(({ state }) => state === "suspect");
  const isSuspect = ({ seq }: TapeRecord): boolean => suspect.some(({ fromSeq, toSeq }) => seq >= fromSeq && seq <= toSeq);
  const counts = [...countRecords(tape, lapses, isSuspect), ...(rig ? countSamples(tape, rig, isSuspect) : [])];
  const damaged_bytes = tape.damagedBytes();
  const holds = counts.every((each) => each.holds);
  const isComplete = damaged_bytes === 0 && counts.every(({ missing, suspect: doubtful }) => missing + doubtful === 0);
  return { counts, lapses, damaged_bytes, holds, isComplete };
}

/** Every record has the next number; what has none on the tape is missing, and must be stated or show as damage. */
function countRecords(tape: Tape, lapses: readonly Lapse[], isSuspect: (record: TapeRecord) => boolean): Count[] {
  let [stored, suspect, expected] = [0, 0, 0];
  for (const record of tape.records()) {
    const lapse = lapseOf(record);
    expected = Math.max(expected, (lapse?.toSeq ?? record.seq) + 1);
    if (lapse) continue;
    if (isSuspect(record)) suspect++;
    else stored++;
  }
  const missing = expected - stored - suspect;
  const stated = lapses.reduce((sum, { fromSeq, toSeq }) => sum + toSeq - fromSeq + 1, 0);
  return [{ what: "records", by: "sequence", expected, stored, missing, suspect, holds: missing >= 0 && missing <= stated }];
}

function countSamples(tape: Tape, rig: Rig, isSuspect: (record: TapeRecord) => boolean): Count[] {
  const sources = Object.keys(rig.instruments).map((source) => {
    const { kind, options } = instrumentOf(rig, source);
    return { source, channels: kind.channels, count: new SampleCount(kind.clock(options)) };
  });
  const bySource = new Map(sources.map(({ source, count }) => [source, count]));
  const decoder = new Decoder(rig);
  for (const record of tape.records()) {
    if (record.kind === "open") bySource.get(record.source)?.opened();
    for (const each of decoder.push(record))
      if (each.type === "block") bySource.get(each.block.source)?.block(each.block, each.host_ns / 1e9, isSuspect(record));
      else if (each.type === "fault" && each.fault.code === "lost_samples") bySource.get(each.fault.source)?.lost(each.fault.count);
  }
  return sources.flatMap(({ source, channels, count }) => channels.flatMap((channel) => count.counts(`${source}.${channel}`)));
}
