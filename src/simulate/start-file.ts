import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** What an emulated phone will do, told to the emulated supply ahead of time: instants of the host's monotonic clock. */
export interface StartFile {
  /** Beginning of the workload; undefined while it was not told to start. */
  readonly start_ns: bigint | undefined;
  /** Beginnings of its trains of load pulses, past ones included. */
  readonly pulses_ns: readonly bigint[];
}

/** Readers see the file before or after, never a part of it. */
export function writeStartFile(path: string, { start_ns, pulses_ns }: StartFile): void {
  const content = { ...(start_ns === undefined ? {} : { start_ns: String(start_ns) }), pulses_ns: pulses_ns.map(String) };
  writeFileSync(`${path}.part`, `${JSON.stringify(content)}\n`);
  renameSync(`${path}.part`, path);
}

/** @returns undefined while there is no file, or only a part of one. @throws Error naming what is wrong with it */
export function readStartFile(path: string): StartFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (!text.trimEnd().endsWith("}")) return undefined;
  const { start_ns, pulses_ns = [] } = JSON.parse(text) as { start_ns?: unknown; pulses_ns?: unknown[] };
  return { start_ns: start_ns === undefined ? undefined : instant(start_ns), pulses_ns: pulses_ns.map(instant) };
}

function instant(value: unknown): bigint {
  const text = String(value);
  if (!/^\d+$/.test(text)) throw new Error(`${text}: expected nanoseconds of the monotonic clock, decimal`);
  return BigInt(text);
}
