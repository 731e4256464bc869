import type { z } from "zod";
import type { ImportedFile } from "../model/recording.ts";
import { textOf } from "./folder.ts";
import type { Problems } from "./problems.ts";

/** Reads a JSON file by a schema; undefined when it does not fit, and then every reason is a problem. */
export function readJson<S extends z.ZodType>(file: ImportedFile, schema: S, problems: Problems): z.infer<S> | undefined {
  const text = textOf(file);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    problems.add(file.name + place(text, error as Error), "is not JSON");
    return undefined;
  }
  const parsed = schema.safeParse(content);
  for (const { path, message } of parsed.error?.issues ?? []) problems.add(file.name, [path.join("."), message].filter(Boolean).join(": "));
  return parsed.data;
}

/** `:3` for a syntax error in the third line; nothing where the engine's message does not give its position. */
function place(text: string, { message }: Error): string {
  const position = /position (\d+)/.exec(message)?.[1];
  return position === undefined ? "" : `:${text.slice(0, Number(position)).split("\n").length}`;
}
