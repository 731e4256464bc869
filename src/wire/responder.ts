import { PYTHON_PROGRAM } from "./responder-python.ts";
import { DATE_PROGRAM, EPOCHREALTIME_PROGRAM } from "./responder-shell.ts";

/** How a responder reads its clock. */
const METHODS = ["python3", "epochrealtime", "date"] as const;
export type ClockMethod = (typeof METHODS)[number];

/** Clocks of a POSIX system that programs stamp their events with. */
const CLOCKS = ["realtime", "monotonic", "boottime"] as const;
export type DeviceClockName = (typeof CLOCKS)[number];

/**
 * A program that answers pings on a device which runs none of ours: a text for a shell or for Python.
 *
 * It is started once and stays. It prints one line that says which clock it is ({@link parseClock}), answers `ping <id>`
 * as a workload does (ping.ts), and answers {@link TIE_LINE} with readings of all clocks it can read at one instant
 * ({@link parseTie}). It passes over other lines, ends when its input ends, and costs the device nothing while it waits.
 * What the device cannot run is not found there or exits with {@link UNABLE}, and the next one is to be tried.
 */
export interface Responder {
  readonly method: ClockMethod;
  readonly argv: readonly string[];
}

/** Exit code of a responder that cannot read its clock here. */
export { UNABLE } from "./responder-shell.ts";

/** Asks a responder how its clocks stand to each other. A shell is busy for up to 20 ms then. */
export const TIE_LINE = "tie";

/** Every responder, the best first. Android's `sh` is mksh, which knows the second; Debian's is dash, which has only the last. */
export const RESPONDERS: readonly Responder[] = [
  // Isolated and without site: a module in the folder it starts in must not stand in for Python's own.
  { method: "python3", argv: ["python3", "-I", "-S", "-u", "-c", PYTHON_PROGRAM] },
  { method: "epochrealtime", argv: ["sh", "-c", EPOCHREALTIME_PROGRAM] },
  { method: "epochrealtime", argv: ["bash", "-c", EPOCHREALTIME_PROGRAM] },
  { method: "epochrealtime", argv: ["busybox", "sh", "-c", EPOCHREALTIME_PROGRAM] },
  { method: "date", argv: ["sh", "-c", DATE_PROGRAM] },
];

/** What a responder says of itself when it starts. */
export interface ResponderClock {
  /** The clock of its pongs. */
  readonly clock: DeviceClockName;
  readonly method: ClockMethod;
  readonly resolution_s: number;
  /** A process is started for every stamp, which comes late by that: {@link forkBias}. */
  readonly forks: boolean;
  /** Clocks that its ties tell. With `realtime` alone there is nothing to ask for. */
  readonly ties: readonly DeviceClockName[];
}

/**
 * How clocks of the device stood to each other, seconds: at one instant the realtime clock was in
 * [realtimeFrom_s, realtimeTo_s] and each other clock given showed what is given.
 */
export interface ClockTie {
  readonly realtimeFrom_s: number;
  readonly realtimeTo_s: number;
  readonly monotonic_s?: number;
  readonly boottime_s?: number;
}

/** What a device stamped by starting a process is late by, seconds, and the standard uncertainty of that. */
export interface ForkBias {
  readonly bias_s: number;
  readonly u_s: number;
}

/**
 * How much later than the middle of the round trip a stamp is that a process took.
 *
 * Starting it takes longer than ending it, so the stamp is late, and cannot be later than the answer: the bias is between
 * 0 and half of the shortest round trip, and no more is known of a device that is not at hand (rectangular, GUM 4.3.7).
 */
export const forkBias = (roundTrip_min_s: number): ForkBias => ({
  bias_s: roundTrip_min_s / 4,
  u_s: roundTrip_min_s / (4 * Math.sqrt(3)),
});

/** Longest line worth reading; anything longer is something else. */
const LONGEST = 256;

/** @returns undefined for whatever is no whole first line of a responder */
export function parseClock(line: string): ResponderClock | undefined {
  const { clock, method, resolution_s, forks, ties } = fieldsOf(line, "clock");
  if (!isOneOf(CLOCKS, clock) || !isOneOf(METHODS, method) || typeof forks !== "boolean") return undefined;
  if (!isFiniteNumber(resolution_s) || resolution_s <= 0) return undefined;
  if (!Array.isArray(ties) || !ties.every((each) => isOneOf(CLOCKS, each))) return undefined;
  return { clock, method, resolution_s, forks, ties };
}

/** @returns undefined for whatever is no tie of two clocks; such as one over which the realtime clock was set back */
export function parseTie(line: string): ClockTie | undefined {
  const { realtime_from_s, realtime_to_s, monotonic_s, boottime_s } = fieldsOf(line, "tie");
  if (!isFiniteNumber(realtime_from_s) || !isFiniteNumber(realtime_to_s) || realtime_to_s < realtime_from_s) return undefined;
  if (!isFiniteNumber(monotonic_s ?? boottime_s) || !isFiniteNumber(boottime_s ?? monotonic_s)) return undefined;
  return {
    realtimeFrom_s: realtime_from_s,
    realtimeTo_s: realtime_to_s,
    ...(isFiniteNumber(monotonic_s) ? { monotonic_s } : {}),
    ...(isFiniteNumber(boottime_s) ? { boottime_s } : {}),
  };
}

/** The keys of a line that is an object of this type; none for any other line. */
function fieldsOf(line: string, type: string): Readonly<Record<string, unknown>> {
  if (line.length > LONGEST || !line.includes(`"${type}"`)) return {};
  const value = parseJson(line);
  return typeof value === "object" && value !== null && "type" in value && value.type === type ? { ...value } : {};
}

const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const isOneOf = <T extends string>(names: readonly T[], value: unknown): value is T => names.some((name) => name === value);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
