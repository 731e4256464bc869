import { join } from "node:path";
import { importers } from "../importers/index.ts";
import { analyze } from "../metrics/analyze.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { ImportedFile, Recording } from "../model/recording.ts";
import type { Results } from "../model/results.ts";
import { calibrationAge } from "../rig/calibration.ts";
import { type Rig, storedRig } from "../rig/rig.ts";
import { readSessionFile, type SessionFile } from "../store/session-file.ts";
import { TapeReader } from "../store/tape-reader.ts";
import { phases } from "../windows/phases.ts";
import { type Tape, tapeRecording } from "./tape-recording.ts";

export interface Analysis {
  readonly session: SessionFile;
  readonly recording: Recording;
  readonly results: Results;
}

/** Final results of a recording: its events cut windows, its samples fill them. */
export function evaluate(session: string, recording: Recording): Results {
  const { windows, faults, outcomes } = phases(recording.events, recording.maps, recording);
  return analyze(session, { ...recording, outcomes, faults: [...recording.faults, ...faults] }, windows);
}

/**
 * Computes the results of a session folder anew from its tape, which it does not change.
 *
 * @param rig used instead of the one the session was recorded with, for a later calibration
 * @throws JoulebenchError `config` when the folder is no session this version can read
 */
export function analyzeSession(dir: string, rig?: Rig): Analysis {
  const session = readSessionFile(dir);
  const recording = recordingOf(dir, session, rig);
  return { session, recording, results: evaluate(session.session, recording) };
}

/** The recording of a session folder, with its own rig or another. @throws JoulebenchError `config` as {@link analyzeSession} */
export function recordingOf(dir: string, session: SessionFile, rig?: Rig): Recording {
  const tape = new TapeReader(join(dir, "tape"));
  if ("import" in session.origin) {
    if (rig)
      throw new JoulebenchError("config", dir, "was imported and has no rig; change the files it was made of, and import them again");
    const { import: format } = session.origin;
    const importer = importers.find((each) => each.format === format);
    if (!importer) throw new JoulebenchError("config", dir, `was imported from ${format}, which this joulebench does not know; update it`);
    return importer.decode(filesOf(tape));
  }
  const used = rig ?? storedRig(session.rig, join(dir, "session.json"));
  return { ...tapeRecording(tape, used), calibration: calibrationAge(used, session.started) };
}

/** The files of an import, put together again from the pieces on its tape. */
function filesOf(tape: Tape): ImportedFile[] {
  const pieces = new Map<string, Uint8Array[]>();
  for (const { source, kind, bytes } of tape.records()) {
    if (kind !== "rx") continue;
    const list = pieces.get(source) ?? [];
    pieces.set(source, list);
    list.push(bytes);
  }
  return [...pieces].map(([name, list]) => ({ name, bytes: Buffer.concat(list) }));
}
