import type { Stage } from "../session/course.ts";
import type { RunWatcher } from "../session/run.ts";
import { clockTime, printable, significant } from "./format.ts";

const SAYS: Record<Stage, string> = {
  opening: "opening the instruments",
  loading: "loading the model",
  aligning: "load pulses, to check power against events",
  idle: "measuring idle power",
  workload: "workload",
  settling: "settling",
  closing: "closing",
  analysing: "computing results from the tape",
};

const REDRAW_MS = 500;

/**
 * Progress on stderr: one line redrawn on a terminal, a line per stage elsewhere.
 *
 * Values are provisional: the final ones come from the tape.
 */
export function progress(stream: NodeJS.WriteStream = process.stderr): RunWatcher & { end(): void } {
  const started = Date.now();
  let stage: Stage = "opening";
  let stageUntil: number | undefined;
  let watts = "";
  let joules = "";
  const draw = (): void => {
    const left = stageUntil === undefined ? "" : `, ${clockTime((stageUntil - Date.now()) / 1000)} left`;
    const line = [`${clockTime((Date.now() - started) / 1000)}  ${SAYS[stage]}${left}`, watts, joules].filter(Boolean).join("  ");
    stream.write(`\r${line.slice(0, (stream.columns ?? 80) - 1)}\u001b[K`);
  };
  const timer = stream.isTTY ? setInterval(draw, REDRAW_MS) : undefined;
  return {
    stage: (next, lasts_s) => {
      stage = next;
      stageUntil = lasts_s === undefined ? undefined : Date.now() + lasts_s * 1000;
      if (stream.isTTY) draw();
      else stream.write(`${clockTime((Date.now() - started) / 1000)}  ${SAYS[next]}${lasts_s === undefined ? "" : ` (${lasts_s} s)`}\n`);
    },
    power: ({ mean_w }) => {
      watts = `${significant(mean_w, 3)} W`;
    },
    provisional: ({ name, value, request, flags }) => {
      if (name !== "decode_energy_per_token" || value === null || flags.includes("INVALID")) return;
      joules = `${request}: ${significant(value, 3)} J/token (provisional)`;
      if (!stream.isTTY) stream.write(`${clockTime((Date.now() - started) / 1000)}  ${joules}\n`);
    },
    notice: (message) => void stream.write(`${stream.isTTY ? "\r\u001b[K" : ""}${printable(message)}\n`),
    end: () => {
      clearInterval(timer);
      if (stream.isTTY) stream.write("\r\u001b[K");
    },
  };
}
