import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import type { ImportedFile } from "../model/recording.ts";

/** Node reads no more than this into one buffer (2^31 - 1 bytes). */
const LARGEST_BYTES = 2 ** 31 - 1;

/** A file an import wants: its name in the import, and the places below the folder where it may lie. */
export interface Wanted {
  readonly name: string;
  readonly places: readonly string[];
  readonly optional?: boolean;
}

/** A file that lies directly in the folder. */
export const here = (name: string): Wanted => ({ name, places: [name] });

/** Reads the wanted files below a folder. @throws JoulebenchError `config` naming every file that is missing or unreadable. */
export async function readFolder(folder: string, wanted: readonly Wanted[]): Promise<readonly ImportedFile[]> {
  const what = await stat(folder).catch((error: NodeJS.ErrnoException) => error);
  if (what instanceof Error) throw new JoulebenchError("config", folder, `cannot read this folder (${what.code})`, { cause: what });
  if (!what.isDirectory()) throw new JoulebenchError("config", folder, "is a file; name the folder that holds the recording");
  const files: ImportedFile[] = [];
  const wrong: string[] = [];
  for (const each of wanted) {
    const found = await readFirst(folder, each);
    if (found instanceof Uint8Array) files.push({ name: each.name, bytes: found });
    else if (found !== "missing") wrong.push(found);
    else if (!each.optional)
      wrong.push(`${each.name} is missing${each.places.length > 1 ? ` (looked for ${each.places.join(", ")})` : ""}`);
  }
  if (wrong.length > 0) throw new JoulebenchError("config", folder, wrong.join("; "));
  return files;
}

async function readFirst(folder: string, { places }: Wanted): Promise<Uint8Array | string> {
  for (const place of places) {
    try {
      const path = join(folder, place);
      if ((await stat(path)).size > LARGEST_BYTES) return `${place} is larger than 2 GiB; export it in parts`;
      return await readFile(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT") return `${place} cannot be read (${code})`;
    }
  }
  return "missing";
}

/** The bytes of a file of the import. @throws JoulebenchError `config` when it is not among them. */
export function fileNamed(files: readonly ImportedFile[], name: string): ImportedFile {
  const file = files.find((each) => each.name === name);
  if (!file) throw new JoulebenchError("config", name, "is missing from the import");
  return file;
}

/** Text of a file, without the byte order mark some programs put in front. */
export const textOf = (file: ImportedFile): string => new TextDecoder().decode(file.bytes);
