import { join } from "node:path";
import { importers } from "../importers/index.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { ImportedFile } from "../model/recording.ts";
import type { Results } from "../model/results.ts";
import { TapeWriter } from "../store/tape-writer.ts";
import { createSessionFolder, type SessionFolder } from "./folder.ts";
import { Recorder } from "./recorder.ts";
import { keepResults } from "./run.ts";

/** Files are put on the tape in pieces of this size. */
const PIECE_BYTES = 256 * 1024;

/**
 * Makes a session of somebody else's files: every byte goes on its tape, and the results come from there.
 *
 * @throws JoulebenchError `config` when the files are not what the format says, before anything is written
 */
export async function importSession(format: string, path: string, out: string): Promise<{ dir: string; results: Results }> {
  const importer = importers.find((each) => each.format === format);
  if (!importer)
    throw new JoulebenchError("config", format, `no such import format; there are: ${importers.map((each) => each.format).join(", ")}`);
  const files = await importer.collect(path);
  importer.decode(files);
  const folder = createSessionFolder(format, out);
  try {
    return await importInto(folder, format, files);
  } finally {
    folder.release();
  }
}

async function importInto(
  folder: SessionFolder,
  format: string,
  files: readonly ImportedFile[],
): Promise<{ dir: string; results: Results }> {
  const tape = new TapeWriter(join(folder.dir, "tape"));
  const recorder = new Recorder((record) => tape.append(record));
  for (const { name, bytes } of files) {
    recorder.state(name, "open", 0, { bytes: bytes.length });
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      recorder.append({ source: name, kind: "rx", host_ns: 0, bytes: bytes.subarray(at, at + PIECE_BYTES) });
    recorder.state(name, "close", 0, {});
  }
  await tape.close();
  folder.describe({ state: "closed", origin: { import: format }, identities: {} });
  return { dir: folder.dir, results: keepResults(folder.dir) };
}
