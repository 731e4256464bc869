import type { Reading } from "../model/reading.ts";
import type { ImportedFile } from "../model/recording.ts";
import { textOf } from "./folder.ts";
import { type Problems, quote } from "./problems.ts";

const SOURCE = "telemetry";
const COLUMNS = ["time_s", "channel", "value"] as const;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * Readings of `telemetry.csv`, one per row: when, which channel, what.
 *
 * A value that is no number is kept as the text it is: governors and states have names. Within a channel time does not run back.
 */
export function readTelemetry(file: ImportedFile, problems: Problems): readonly Reading[] {
  const lines = textOf(file)
    .split("\n")
    .map((text, index) => ({ cells: text.split(",").map((cell) => cell.trim()), where: `${file.name}:${index + 1}` }))
    .filter(({ cells }) => cells.length > 1 || cells[0] !== "");
  const header = lines.shift();
  const names = header?.cells ?? [];
  const at = COLUMNS.map((column) => names.indexOf(column));
  if (at.includes(-1)) {
    problems.add(header?.where ?? file.name, `expected the columns ${COLUMNS.join(", ")}; found ${names.join(", ") || "nothing"}`);
    return [];
  }
  const readings: Reading[] = [];
  const latest_s = new Map<string, number>();
  for (const { cells, where } of lines) {
    const [time, channel, value] = at.map((column) => cells[column] ?? "") as [string, string, string];
    const tick = Number(time);
    if (cells.length !== names.length) problems.add(where, `has ${cells.length} of ${names.length} cells (${names.join(", ")})`);
    else if (!NUMBER.test(time) || !Number.isFinite(tick)) problems.add(where, `time_s is ${quote(time)}, expected a finite number`);
    else if (channel === "" || value === "") problems.add(where, `${channel === "" ? "channel" : "value"} is empty`);
    else if (tick < (latest_s.get(channel) ?? tick)) problems.add(where, `time_s ${time} of ${channel} after ${latest_s.get(channel)}`);
    else readings.push({ source: SOURCE, epoch: 0, channel, tick, value: NUMBER.test(value) ? Number(value) : value });
    latest_s.set(channel, tick);
  }
  return readings;
}
