import { clockTime } from "./format.ts";

const REDRAW_MS = 500;
/** What lasts no longer is not worth a line. */
const SILENT_MS = 2000;

/** Says on stderr how far long work on a session has come: a line redrawn on a terminal, one line elsewhere. */
export function traceProgress(what: string, stream: NodeJS.WriteStream = process.stderr): { at: (at_s: number) => void; end: () => void } {
  let next_ms = performance.now() + SILENT_MS;
  let isShown = false;
  return {
    at: (at_s) => {
      if (performance.now() < next_ms) return;
      next_ms = stream.isTTY ? performance.now() + REDRAW_MS : Number.POSITIVE_INFINITY;
      isShown = true;
      stream.write(stream.isTTY ? `\r${what}: at ${clockTime(at_s)} of the session\u001b[K` : `${what}\n`);
    },
    end: () => {
      if (isShown && stream.isTTY) stream.write("\r\u001b[K");
    },
  };
}
