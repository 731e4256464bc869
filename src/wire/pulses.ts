/** What is sent to ask a device for its train of load pulses. */
export const PULSES_LINE = "pulses";

/** What a device says when it cannot load itself on demand. */
export const PULSES_UNSUPPORTED_LINE = '{"type":"pulses_unsupported"}';

/** What a device says when its train is through. */
export const PULSES_DONE_LINE = '{"type":"pulses_done"}';

/**
 * The coded train, milliseconds: pulse, pause, pulse, … pulse; 12 pulses of 100 to 250 ms, pauses of 150 to 350 ms.
 *
 * Found by a random search for the lowest sidelobe: shifted against itself by 100 ms to 2 s either way, the train
 * correlates with itself by at most 0.23, so that no wrong shift can pass for the right one. Its edges fall evenly on
 * all phases of 10 ms, so that even samples at 100 Hz see the shape of a rise.
 */
const CODE_MS = [196, 155, 112, 183, 169, 334, 224, 171, 100, 309, 173, 151, 102, 174, 139, 164, 240, 282, 152, 323, 198, 233, 205];

/** One pulse of load on the clock of whoever states it, seconds: busy over [on_s, off_s). */
export interface Pulse {
  readonly on_s: number;
  readonly off_s: number;
}

/** The pulses of the coded train, the first one at 0. */
export const PULSE_CODE: readonly Pulse[] = pulsesOf(CODE_MS);

function pulsesOf(code_ms: readonly number[]): Pulse[] {
  const pulses: Pulse[] = [];
  let from_ms = 0;
  for (let k = 0; k < code_ms.length; k += 2) {
    const to_ms = from_ms + code_ms[k]!;
    pulses.push({ on_s: from_ms / 1000, off_s: to_ms / 1000 });
    from_ms = to_ms + (code_ms[k + 1] ?? 0);
  }
  return pulses;
}

/** What a device prints after each pulse: `{"type":"pulse","on_s":12.3,"off_s":12.5}`. */
export const pulseLine = ({ on_s, off_s }: Pulse): string => JSON.stringify({ type: "pulse", on_s, off_s });

/** What a device prints when it has switched the line that is wired to the bridge's trigger input. */
export const triggerLine = (level: 0 | 1, time_s: number): string => JSON.stringify({ type: "trigger", level, time_s });

/**
 * What a line of the device says about its load pulses or its trigger line. A pulse may say that it is stamped by the
 * clock that answers pings, whatever the rig says of the workload's stamps.
 */
export type SyncLine =
  | { readonly type: "pulse"; readonly pulse: Pulse; readonly isOnPongs: boolean }
  | { readonly type: "pulses_done" | "pulses_unsupported" }
  | { readonly type: "trigger"; readonly level: 0 | 1; readonly time_s: number };

/** Longest line worth reading; anything longer is something else. */
const LONGEST = 256;

/** @returns undefined for whatever is no whole line of this kind with finite times in order */
export function parseSync(line: string): SyncLine | undefined {
  // Most lines are events: do not parse those twice.
  if (line.length > LONGEST || !(line.includes('"pulse') || line.includes('"trigger"'))) return undefined;
  const value = parseJson(line);
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  const { type, on_s, off_s, level, time_s, clock } = value as Readonly<Record<string, unknown>>;
  if (type === "pulses_done" || type === "pulses_unsupported") return { type };
  if (type === "pulse" && isFiniteNumber(on_s) && isFiniteNumber(off_s) && off_s > on_s)
    return { type, pulse: { on_s, off_s }, isOnPongs: clock === "pongs" };
  if (type === "trigger" && isFiniteNumber(time_s) && (level === 0 || level === 1)) return { type, level, time_s };
  return undefined;
}

const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
