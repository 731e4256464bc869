import { readdir, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import type { ImportedFile } from "../model/recording.ts";
import { here, readFolder } from "./folder.ts";
import { RIG } from "./meter-rig.ts";

export const EVENTS = "events.jsonl";

/**
 * Reads a meter's CSV, and `rig.json` and `events.jsonl` where they lie beside it.
 *
 * @param path the CSV, or a folder that holds no other
 * @throws JoulebenchError `config` naming what is missing, unreadable, or one of several
 */
export async function collectMeter(path: string): Promise<readonly ImportedFile[]> {
  const what = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (what instanceof Error) throw new JoulebenchError("config", path, `cannot be read (${what.code})`, { cause: what });
  const folder = what.isDirectory() ? path : dirname(path);
  const name = what.isDirectory() ? await onlyTable(path) : basename(path);
  const beside = [RIG, EVENTS].map((each) => ({ ...here(each), optional: true }));
  return readFolder(folder, [here(name), ...beside]);
}

async function onlyTable(folder: string): Promise<string> {
  const tables = (await readdir(folder)).filter((name) => name.toLowerCase().endsWith(".csv")).sort();
  const [only] = tables;
  if (only === undefined) throw new JoulebenchError("config", folder, "holds no .csv file");
  if (tables.length > 1) throw new JoulebenchError("config", folder, `holds ${tables.length} .csv files; name the one to import`);
  return only;
}

/** The CSV among the files of an import. */
export function tableOf(files: readonly ImportedFile[]): ImportedFile {
  const file = files.find(({ name }) => name !== RIG && name !== EVENTS);
  if (!file) throw new JoulebenchError("config", "import", "has no table of samples");
  return file;
}
