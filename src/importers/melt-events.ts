import type { ImportedFile } from "../model/recording.ts";
import { textOf } from "./folder.ts";
import { type Problems, quote } from "./problems.ts";

/** Events of one conversation by their key, seconds since 1970. */
export type MeltEvents = ReadonlyMap<string, number>;

const ROW = /^(\S+?)[, ](\d{16,})$/;

/** Reads a file of `key,nanoseconds` or `key nanoseconds` lines, in any order; a key that comes again replaces the first. */
export function readMeltEvents(
  file: ImportedFile,
  problems: Problems,
): { readonly events: MeltEvents; readonly wholeMilliseconds: boolean } {
  const events = new Map<string, number>();
  let wholeMilliseconds = true;
  for (const [index, line] of textOf(file).split("\n").entries()) {
    if (line.trim() === "") continue;
    const [, key, nanoseconds] = ROW.exec(line.trim()) ?? [];
    if (key === undefined || nanoseconds === undefined) {
      problems.add(`${file.name}:${index + 1}`, `expected an event and nanoseconds since 1970, found ${quote(line.trim())}`);
      continue;
    }
    if (!nanoseconds.endsWith("000000")) wholeMilliseconds = false;
    events.set(key, Number(nanoseconds) / 1e9);
  }
  return { events, wholeMilliseconds };
}

/** Times of all events whose key matches, rising. */
export function timesOf(events: MeltEvents, pattern: RegExp): number[] {
  return [...events]
    .filter(([key]) => pattern.test(key))
    .map(([, at_s]) => at_s)
    .sort((a, b) => a - b);
}
