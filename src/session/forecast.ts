import { JoulebenchError } from "../model/errors.ts";
import { instrumentOf, type Rig } from "../rig/rig.ts";
import { realDisk } from "../store/disk.ts";

/** What a second of the rest takes: the device's lines, pings, ticks, bytes. */
const OTHER_BYTES_PER_S = 2000;
/** Of what is received, records, results and copies under way take so much again. */
const OVERHEAD = 0.2;
/** Segments that are being compressed stand there twice. */
const SEGMENTS_BYTES = 64 * 1024 * 1024;
/** Bytes that a byte takes on an asynchronous serial line: 10 bits with start and stop. */
const BITS_PER_BYTE = 10;

/** The space a session takes. */
export interface Forecast {
  readonly bytesPerSecond: number;
  /** For as long as the plan waits at least, and for as long as it allows. */
  readonly least_bytes: number;
  readonly most_bytes: number;
  /** Kept back for an end in order. */
  readonly reserve_bytes: number;
}

/** From the rates of the instruments and the times of the plan. */
export function forecast(rig: Rig): Forecast {
  const rates = Object.keys(rig.instruments).map((source) => {
    const { kind, options, rigged } = instrumentOf(rig, source);
    return kind.bytesPerSecond?.(options) ?? rigged.baud / BITS_PER_BYTE;
  });
  const bytesPerSecond = (1 + OVERHEAD) * rates.reduce((sum, rate) => sum + rate, OTHER_BYTES_PER_S);
  const { baseline_s, settle_s, after_s, timeout_s } = rig.plan;
  const waiting_s = baseline_s + settle_s + after_s;
  const reserve_bytes = reserveOf(rig);
  return {
    bytesPerSecond,
    least_bytes: waiting_s * bytesPerSecond + reserve_bytes,
    most_bytes: (waiting_s + timeout_s) * bytesPerSecond + reserve_bytes + SEGMENTS_BYTES,
    reserve_bytes,
  };
}

export const reserveOf = ({ tape_reserve_mib }: Rig): number => tape_reserve_mib * 1024 * 1024;

/**
 * Compares the forecast with the space there is.
 *
 * @param dir the session's folder, which exists
 * @param free_bytes what is free there
 * @returns a warning where the session fits only if it ends before its time-out
 * @throws JoulebenchError `sink` when not even the shortest session fits
 */
export function checkSpace(rig: Rig, dir: string, free_bytes = realDisk.free_bytes(dir)): string | undefined {
  const { bytesPerSecond, least_bytes, most_bytes, reserve_bytes } = forecast(rig);
  const there = `${sizeOf(free_bytes)} are free there`;
  const rate = `${sizeOf(bytesPerSecond)}/s, and ${sizeOf(reserve_bytes)} kept back (tape_reserve_mib)`;
  if (free_bytes < least_bytes)
    throw new JoulebenchError(
      "sink",
      dir,
      `${there}, and this session takes at least ${sizeOf(least_bytes)} (${rate}); free space or choose another --out`,
    );
  if (free_bytes >= most_bytes) return undefined;
  return `${dir}: ${there}, and this session takes up to ${sizeOf(most_bytes)} if it lasts as long as plan.timeout_s allows (${rate}); a full disk costs what comes until there is space again`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

function sizeOf(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toPrecision(3)} ${UNITS[power]}`;
}
