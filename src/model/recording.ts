import type { Alignment } from "./alignment.ts";
import type { Block } from "./block.ts";
import type { TimeMap } from "./clock.ts";
import type { Fault } from "./errors.ts";
import type { InferenceEvent } from "./event.ts";
import type { Accuracy } from "./instrument.ts";
import type { Reading } from "./reading.ts";
import type { RequestOutcome } from "./results.ts";

/** A value somebody else computed from the same data, by a method of theirs: shown beside ours, never mixed with it. */
export interface Reference {
  /** Whose value: `MLPerf Power`, `EEMBC EnergyRunner (published)`. */
  readonly method: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The window it speaks of, when it is not the whole session. */
  readonly request?: string;
  readonly detail?: string;
}

/** What is measured: one channel of one power source, with all that its samples need to become energy. */
export interface Measurand {
  readonly source: string;
  readonly channel: string;
  readonly accuracy: Accuracy;
  /** Longest distance between two `point` samples, in ticks, that is still no gap; ignored for the other samplers. */
  readonly longestStep?: number;
}

/** Between these two session times a clock broke: it jumped, stood still or began anew. Nothing that spans it has a length. */
export interface ClockBreak {
  readonly source: string;
  readonly from_s: number;
  readonly to_s: number;
}

/** Between these two session times records are missing, or perhaps not on the disk. */
export interface RecordingLapse {
  readonly from_s: number;
  readonly to_s: number;
}

/**
 * Everything an analysis needs, on whatever medium it was recorded: a replayed tape or somebody else's files.
 *
 * `blocks` may be iterated any number of times and gives the same blocks in order of time each time.
 */
export interface Recording {
  /** Absent where no power was measured: times are, and there are no energies. */
  readonly measurand?: Measurand;
  /** One map per (source, epoch) that has ticks, of power sources and of event sources. */
  readonly maps: readonly TimeMap[];
  /** Where clocks broke; windows that touch such a place are invalid. */
  readonly breaks?: readonly ClockBreak[];
  /** What the recording says it could not keep; windows that touch such a place are invalid. */
  readonly lapses?: readonly RecordingLapse[];
  readonly events: readonly InferenceEvent[];
  readonly readings: readonly Reading[];
  /** Intervals of session time in which the device did nothing. */
  readonly idle: readonly (readonly [number, number])[];
  readonly faults: readonly Fault[];
  readonly references: readonly Reference[];
  /** Energy of a full battery, for the projected number of requests. */
  readonly battery_j?: number;
  /** Days from the calibration of the measurand to the session, absent without one, and the most the rig allows. */
  readonly calibration?: { readonly age_days?: number; readonly limit_days?: number };
  /** Checks of power against events: load pulses, trigger edges. Absent or empty where nothing could be checked. */
  readonly alignment?: readonly Alignment[];
  /** Requests that did not end well. */
  readonly outcomes?: readonly RequestOutcome[];
  /** Requests the plan asked for, where there was a plan. */
  readonly planned?: number;
  /** Of those, some may end badly: that is a result. */
  readonly mayFail?: boolean;
  /** Facts about the clocks for the report: offsets, rates, bounds. */
  readonly clocks: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  blocks(): Iterable<Block>;
}

/** A recording that holds power. */
export interface PowerRecording extends Recording {
  readonly measurand: Measurand;
}

export const hasPower = (recording: Recording): recording is PowerRecording => recording.measurand !== undefined;

/** The files of an import as they were found: name inside the import, and every byte. */
export interface ImportedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Turns somebody else's files into a recording. The files themselves go on the session's tape, so that it can be done again. */
export interface Importer {
  readonly format: string;
  readonly summary: string;
  /** An example of the command line's tail, for `--help`. */
  readonly example: string;
  /** Reads what it needs below `path`. @throws JoulebenchError `config` naming the file that is missing or unreadable. */
  collect(path: string): Promise<readonly ImportedFile[]>;
  /** Pure. @throws JoulebenchError `config` naming file, line and what was expected; everything wrong at once. */
  decode(files: readonly ImportedFile[]): PowerRecording;
}
