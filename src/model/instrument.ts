import type { z } from "zod";
import type { Block } from "./block.ts";
import type { HostNs } from "./clock.ts";
import type { FaultCode } from "./errors.ts";

/** Bytes as they came off one read. No bytes at all: the session's 100 ms tick, on which time-outs fire. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly host_ns: HostNs;
}

/** What a driver may do besides returning blocks. On a replayed tape `write` goes nowhere: the answers are on the tape. */
export interface InstrumentContext {
  /** The name the rig gives this source. */
  readonly source: string;
  readonly epoch: number;
  readonly write: (bytes: Uint8Array) => void;
  readonly fault: (code: FaultCode, count: number, detail?: string) => void;
  /** States who answered: firmware, serial number, settings in force. Goes to `session.json`. */
  readonly identity: (facts: Readonly<Record<string, string | number>>) => void;
  /** A trigger input changed at `tick` of the source's clock. */
  readonly edge: (input: string, level: 0 | 1, tick: number) => void;
}

/**
 * Bytes in, blocks out; one per epoch of a source.
 *
 * A driver never opens hardware, flushes its input or reads a clock: live and replayed bytes give the same blocks.
 */
export interface Driver {
  /** @throws JoulebenchError `protocol` when the bytes are not this instrument's; `link` when it restarted. */
  push(chunk: Chunk): readonly Block[];
  /**
   * Bytes before this moment, host time, arrived and could not be kept: on a replayed tape time-outs begin anew, and
   * whatever was under way may have happened.
   */
  lapsed?(host_ns: HostNs): void;
  /** What to send before the port is closed, so that the instrument is left quiet. */
  stop?(): Uint8Array;
  /** True once the instrument has answered `stop` and nothing more is owed. */
  readonly stopped?: boolean;
  /** True once blocks may be expected. */
  readonly ready: boolean;
}

/** What limits the accuracy of a channel's power. Standard uncertainties (k = 1) of constant effects. */
export interface Accuracy {
  /** Relative: shunt, reference and converter gains. */
  readonly gain: number;
  readonly currentOffset_a: number;
  readonly voltageOffset_v: number;
  /** One count. */
  readonly currentResolution_a: number;
  readonly voltageResolution_v: number;
  /** Of the instant a sample stands for, seconds: new at every edge, so it is no error of the clock. */
  readonly sampling_s: number;
  /** Of the analogue input, where it is slow enough to matter: a step of power arrives as 1 - exp(-t / timeConstant_s). */
  readonly timeConstant_s?: number;
}

/** A number and its standard uncertainty (k = 1), both in the unit of the number. */
export interface Uncertain {
  readonly value: number;
  readonly u: number;
}

/**
 * What a calibration found of a channel, as it showed under the options in force:
 * true current = (shown current - `currentOffset_a`) * `currentGain`, true voltage = shown voltage * `voltageGain`.
 */
export interface ChannelErrors {
  readonly currentOffset_a?: Uncertain;
  readonly currentGain?: Uncertain;
  readonly voltageGain?: Uncertain;
  /** Relative standard uncertainty of power that the gains leave behind. */
  readonly powerGain_u?: number;
}

/** How an instrument takes a calibration: as values of options of its own, which the rig keeps apart with their date. */
export interface CalibrationKind {
  /** The options a calibration may replace. */
  readonly values: z.ZodObject;
  /** Relative standard uncertainty of the voltage gain by the maker's word, for references that leave it open. */
  readonly voltageGain_u: number;
  /** @param options the ones in force while `errors` were measured */
  readonly correct: (options: unknown, errors: ChannelErrors) => Readonly<Record<string, number>>;
}

/** How the ticks of a source become session time. */
export interface ClockSpec {
  /** Ticks per second by the maker's word. */
  readonly nominal_hz: number;
  /** Largest credible rate error, 1e-6 units: 500 for a crystal, 10 000 for a ceramic resonator. */
  readonly limit_ppm: number;
  /** Shortest possible way from sample to host, seconds, and its standard uncertainty. */
  readonly latency_s: number;
  readonly u_latency_s: number;
}

export interface InstrumentKind {
  readonly kind: string;
  /** One line for `init` and the docs. */
  readonly summary: string;
  /** The rig keys this instrument understands, besides `kind` and `port`. */
  readonly options: z.ZodObject;
  readonly over: "port";
  readonly baud: number;
  /** What it sends, bytes per second, for a forecast of space; where it is left out, as much as the line carries. */
  readonly bytesPerSecond?: (options: unknown) => number;
  /** Channels it delivers, for checking the rig's measurand. */
  readonly channels: readonly string[];
  readonly open: (options: unknown, context: InstrumentContext) => Driver;
  readonly accuracy: (options: unknown, channel: string) => Accuracy;
  readonly clock: (options: unknown) => ClockSpec;
  /** Absent where nothing can be calibrated. */
  readonly calibration?: CalibrationKind;
}

/** An instrument whose functions take the options its own schema gives. */
export interface InstrumentDefinition<S extends z.ZodObject>
  extends Omit<InstrumentKind, "options" | "bytesPerSecond" | "open" | "accuracy" | "clock" | "calibration"> {
  readonly options: S;
  readonly bytesPerSecond?: (options: z.infer<S>) => number;
  readonly open: (options: z.infer<S>, context: InstrumentContext) => Driver;
  readonly accuracy: (options: z.infer<S>, channel: string) => Accuracy;
  readonly clock: (options: z.infer<S>) => ClockSpec;
  readonly calibration?: Omit<CalibrationKind, "correct"> & {
    readonly correct: (options: z.infer<S>, errors: ChannelErrors) => Readonly<Record<string, number>>;
  };
}

/** Ties an instrument to its options schema; the one cast is safe because the rig parsed the options with that schema. */
export function defineInstrument<S extends z.ZodObject>(definition: InstrumentDefinition<S>): InstrumentKind {
  return definition as unknown as InstrumentKind;
}
