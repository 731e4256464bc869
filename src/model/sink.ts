import type { z } from "zod";
import type { Fault, FaultCode } from "./errors.ts";
import type { InferenceEvent } from "./event.ts";
import type { Measurement } from "./measurement.ts";

/** Mean, least and largest power of one channel over a short interval of session time. */
export interface PowerMean {
  readonly source: string;
  readonly start_s: number;
  readonly end_s: number;
  readonly mean_w: number;
  readonly min_w: number;
  readonly max_w: number;
}

/**
 * Where copies of results go. A sink takes what it cares about, never blocks and never throws: it keeps a queue
 * bounded in bytes and counts what it had to refuse. Only the store acknowledges.
 */
export interface Sink {
  readonly kind: string;
  power?(mean: PowerMean): void;
  event?(event: InferenceEvent, at_s: number): void;
  fault?(fault: Fault): void;
  measurement?(measurement: Measurement): void;
  /** Sends what is left, within a time of its own. Resolves with what could not be delivered. */
  close(): Promise<{ readonly refused: number; readonly reason?: string }>;
}

/** What a sink is told about the session it serves. */
export interface SinkContext {
  readonly rig: string;
  readonly session: string;
  /** Wall time at session zero: nanoseconds since 1970, UTC. A bigint, because a number cannot hold it exactly. */
  readonly wallStart_ns: bigint;
  /** Counts refused points: the first of each reason at once, the rest when the sink closes. */
  readonly fault: (code: FaultCode, count: number, detail?: string) => void;
  /** One sentence for the user while measuring goes on, once per reason: nothing is lost yet, but something is wrong. */
  readonly notice: (message: string) => void;
}

export interface SinkKind {
  readonly kind: string;
  /** One line for `init` and the docs. */
  readonly summary: string;
  /** The rig keys this sink understands, besides `kind`. */
  readonly options: z.ZodObject;
  /** @throws JoulebenchError `config` for what the rig must change. A service that is down is no error. */
  readonly open: (options: unknown, context: SinkContext) => Sink;
}

/** A sink whose `open` takes the options its own schema gives. */
export interface SinkDefinition<S extends z.ZodObject> extends Omit<SinkKind, "options" | "open"> {
  readonly options: S;
  readonly open: (options: z.infer<S>, context: SinkContext) => Sink;
}

/** Ties a sink to its options schema; the one cast is safe because the rig parsed the options with that schema. */
export function defineSink<S extends z.ZodObject>(definition: SinkDefinition<S>): SinkKind {
  return definition as unknown as SinkKind;
}
