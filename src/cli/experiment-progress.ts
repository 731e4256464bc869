import type { ExperimentWatcher } from "../session/experiment.ts";
import { clockTime, printable } from "./format.ts";
import { progress } from "./progress.ts";

/** At most so often is a gate's temperature said again where lines cannot be redrawn. */
const SAY_EVERY_MS = 60_000;

/** Progress of an experiment on stderr: a line per cell with what is left, and the sessions' own below it. */
export function experimentProgress(cells: number, stream: NodeJS.WriteStream = process.stderr): ExperimentWatcher & { end(): void } {
  let session: ReturnType<typeof progress> | undefined;
  let said_ms = Number.NEGATIVE_INFINITY;
  const say = (text: string): void => void stream.write(`${stream.isTTY ? "\r\u001b[K" : ""}${printable(text)}\n`);
  return {
    cell: ({ cell, attempt }, { cells: left, left_s }) => {
      said_ms = Number.NEGATIVE_INFINITY;
      const again = attempt > 1 ? `, attempt ${attempt}` : "";
      const rest = left_s === undefined ? `${left} of ${cells} left` : `${left} of ${cells} left, about ${clockTime(left_s)}`;
      say(`${cell.id}${again} (${rest})`);
    },
    cellEnded: (_, { state, reason }) => {
      session?.end();
      session = undefined;
      say(`  ${state}${reason === undefined ? "" : `: ${reason}`}`);
    },
    waiting: (detail) => {
      const now_ms = performance.now();
      if (stream.isTTY) stream.write(`\rcooling down  ${printable(detail)}`.slice(0, (stream.columns ?? 80) - 1).concat("\u001b[K"));
      else if (now_ms - said_ms >= SAY_EVERY_MS) {
        said_ms = now_ms;
        say(`cooling down  ${detail}`);
      }
    },
    stage: (stage, lasts_s) => {
      session ??= progress(stream);
      session.stage?.(stage, lasts_s);
    },
    power: (mean) => session?.power?.(mean),
    provisional: (measurement) => session?.provisional?.(measurement),
    notice: say,
    end: () => session?.end(),
  };
}
