import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeJson } from "./session-file.ts";
import { MANIFEST } from "./trace-paths.ts";
import { VERSION } from "./version.ts";

/** What is kept of one source. */
export interface StreamSummary {
  readonly source: string;
  readonly rows: number;
  readonly parts: number;
  /** Columns the source gives, as `<channel>.<quantity>`. */
  readonly columns: readonly string[];
  /** Channels with a power, whose energies are kept. */
  readonly channels: readonly string[];
  /** Session seconds from the start of the first sample to the end of the last. */
  readonly start_s: number;
  readonly end_s: number;
}

/** `_trace.json`: written last, so that a trace which has it is whole. */
export interface Manifest {
  readonly format: 1;
  /** The version whose clocks placed the samples. */
  readonly joulebench: string;
  readonly session: string;
  readonly streams: readonly StreamSummary[];
}

/** @throws JoulebenchError `sink` */
export function writeManifest(trace: string, session: string, streams: readonly StreamSummary[]): void {
  writeJson(join(trace, MANIFEST), { format: 1, joulebench: VERSION, session, streams } satisfies Manifest);
}

/** What a whole trace of this version holds; undefined where there is none, and it must be made. */
export function readManifest(trace: string): Manifest | undefined {
  const path = join(trace, MANIFEST);
  if (!existsSync(path)) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
  if (typeof content !== "object" || content === null || !("format" in content) || !("joulebench" in content)) return undefined;
  return content.format === 1 && content.joulebench === VERSION ? (content as Manifest) : undefined;
}
