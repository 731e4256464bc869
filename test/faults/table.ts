import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What became of the points of one row of the matrix. */
export interface Row {
  readonly fault: string;
  readonly told: number;
  readonly stored: number;
  readonly refused: number;
  readonly waiting: number;
  readonly lost: number;
}

const COLUMNS = ["fault", "told", "stored", "refused", "waiting", "lost"] as const;

/** The rows as an aligned table. */
export function table(rows: readonly Row[]): string {
  const lines = [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => String(row[column])))];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join("  "))
    .join("\n");
}

/** Calls `act` for each k of [from, to) at that rate, in real time. */
export async function pace(from: number, to: number, rate_hz: number, act: (k: number) => void): Promise<void> {
  const began = performance.now();
  for (let k = from; k < to; ) {
    const due = Math.min(to, from + 1 + Math.floor(((performance.now() - began) / 1000) * rate_hz));
    for (; k < due; k++) act(k);
    await sleep(5);
  }
}

/** Bytes of the heap without what nobody needs any more. */
export function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}
